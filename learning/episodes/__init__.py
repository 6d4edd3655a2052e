"""Episodes of a policy in an environment, recorded: ``reality episodes``, Minari data sets, tables, videos.

    policies      what a policy is, how one is named on the command line, the ready-made ones
    rollout       one episode from reset to its end
    run           many of them, in worker processes, resumable
    dataset       the finished episodes as a Minari data set;  tables  as CSV and Parquet
    statistics    rates with exact intervals
    video         an MP4 with a line of figures

Importing this package is cheap; gymnasium, Minari, torch and PyAV are imported where they are needed.
"""
