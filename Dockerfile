# onecycle and Ray, for the machines of a cluster; docs/cluster.md says how it is used.
#
#   docker build -t onecycle .
#   docker build -t onecycle --build-arg BASE=IMAGE .   # for GPUs: any image with Python 3.11 and CUDA
ARG BASE=python:3.11-slim
FROM ${BASE}

USER 0
# Kubernetes asks a Ray node by wget whether it is well.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && (id 1000 || useradd --create-home --uid 1000 onecycle)

WORKDIR /opt/onecycle
COPY pyproject.toml README.md LICENSE ./
COPY onecycle_cli onecycle_cli
COPY models models
# "default" has the parts of Ray that answer for a node's health and take jobs.
# hadolint ignore=DL3013
RUN python3 -m pip install --no-cache-dir '.[ray,tables]' 'ray[default]==2.60.0'

USER 1000
WORKDIR /tmp
CMD ["onecycle", "--help"]
