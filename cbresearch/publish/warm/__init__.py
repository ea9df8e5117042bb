"""Kernels that are forked from a process which has imported everything, for papermill and for our own runs.

A zygote imports what notebooks import and never runs a cell. For each lane it forks a host, which does nothing
but fork kernels, one for each notebook, and see that nothing of them is left. A kernel speaks Jupyter's messages
over a pipe: no port, no file, no start of an interpreter. Linux only; elsewhere the ordinary kernel is used.
"""
