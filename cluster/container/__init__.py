"""Each component in a container of its own (docker-compose.yml), by the same data as natively.

`python -m cluster.container run NAME` is a container's main process, `make WHAT` makes what the
servers hold and ends, `watch` looks at all of them: the container of the command line.
"""
