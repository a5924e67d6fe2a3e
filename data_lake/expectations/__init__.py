"""What is expected of raw/ and of tables about to be published, beyond what contracts can say.

`audit` judges and keeps the results; `suites` finds what each world expects, in a package of its own.
"""
