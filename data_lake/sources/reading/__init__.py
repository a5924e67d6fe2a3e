"""What formats share: bytes to rows of text, their proof and repair, and small columns."""
