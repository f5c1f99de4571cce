# One image for every component: the same jars, classes, Python and templates as the native start.
# Built from Debian alone; what builds it (Maven, javac, pip) is not in it.

FROM debian:bookworm-slim AS base
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates openjdk-17-jre-headless python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin loyalty \
 && install -d -o loyalty -g loyalty -m 0700 /data /data/tmp

FROM base AS tools
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      maven openjdk-17-jdk-headless python3-venv \
 && rm -rf /var/lib/apt/lists/*

# the jars of the poms; this layer stays as long as they do
FROM tools AS jars
COPY cluster/pom.xml /build/cluster/
COPY cluster/kafka/pom.xml /build/cluster/kafka/
COPY cluster/hdfs/pom.xml /build/cluster/hdfs/
COPY cluster/hbase/pom.xml /build/cluster/hbase/
COPY cluster/hive/pom.xml /build/cluster/hive/
COPY cluster/hive-log4j1/pom.xml /build/cluster/hive-log4j1/
COPY cluster/hive-schema/pom.xml /build/cluster/hive-schema/
COPY cluster/spark/pom.xml /build/cluster/spark/
COPY flume/pom.xml /build/flume/
RUN --mount=type=cache,target=/m2 \
    mvn -q -B -Dmaven.repo.local=/m2 -f /build/cluster/pom.xml dependency:copy-dependencies -Djars=/jars

# Python's packages, of the lock, without those of the tests; what is built is not compressed before
# it is unpacked
FROM tools AS python
WORKDIR /loyalty
COPY pyproject.toml requirements.lock ./
COPY cluster/container/prune.py cluster/container/
RUN --mount=type=cache,target=/pip \
    export PIP_CACHE_DIR=/pip \
 && python3 -m venv .venv \
 && .venv/bin/pip install -q --no-compile --require-hashes -r requirements.lock \
      --config-settings=--build-option=--compression=stored \
 && .venv/bin/python cluster/container/prune.py

# each jar checked by its hash, our Java classes compiled, the code compiled
FROM python AS product
COPY . .
RUN echo /loyalty > .venv/lib/python3.11/site-packages/loyalty.pth
ENV XDG_CACHE_HOME=/loyalty/cache
RUN --mount=type=bind,from=jars,source=/jars,target=/jars \
    cp -r /jars /fetched \
 && .venv/bin/python -m cluster.jars publish /fetched \
 && .venv/bin/python -m cluster.classes \
 && .venv/bin/python -m compileall -q . \
 && rm -rf /fetched \
 && chmod -R a+rX /loyalty

FROM base
COPY --from=product /loyalty /loyalty
COPY --from=product /loyalty/cluster/container/bin/ /usr/bin/
ENV XDG_CACHE_HOME=/loyalty/cache PYTHONDONTWRITEBYTECODE=1 \
    LOYALTY_DATA=/data LOYALTY_CONTAINERS=1 HOME=/tmp
USER loyalty
WORKDIR /data
ENTRYPOINT ["/loyalty/.venv/bin/python", "-m", "cluster.container"]
