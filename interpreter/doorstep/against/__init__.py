"""Doorstep beside AWS: what an account, or a server in its place, answers to the same questions.

| module | |
|---|---|
| account | asks Step Functions by boto3, and explains what is refused |
| target | state machines that are there, and executions of them |
| differences | what counts as one |
| own_executions | executions of tests in Python, and the same ones elsewhere |
| executions | a suite's tests as real executions, beside Doorstep's own |
| single_states | tests with mocks, state by state through TestState |
"""
