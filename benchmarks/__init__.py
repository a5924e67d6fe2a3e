"""Speed, memory and growth of cost, each as a ratio of two commands measured in turn in one run.

Machines are shared and noisy: quote ratios and medians. `make bench` runs everything, `python -m benchmarks.<name>`
one of them.
"""
