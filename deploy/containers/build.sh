#!/bin/sh
# Builds every role's image from dist/wheelhouse and says how large each is: ./deploy/containers/build.sh [ROLE…]
# RUNTIME=gpu keeps ONNX Runtime's CUDA libraries; BUILD_WITH=docker uses docker instead of buildah.
set -eu
cd "$(dirname -- "$0")/../.."
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' export/__init__.py)
[ $# -gt 0 ] || set -- edge console assistant gateway
for role; do
    tag="linewarden/$role:$version"
    if [ "${BUILD_WITH:-buildah}" = docker ]; then
        docker build --quiet --target "$role" --build-arg RUNTIME="${RUNTIME:-cpu}" --tag "$tag" --file deploy/containers/Dockerfile .
    else
        # --format docker: the OCI format has no HEALTHCHECK.
        buildah build --quiet --format docker --target "$role" --build-arg RUNTIME="${RUNTIME:-cpu}" \
            ${PULL_NEVER:+--pull-never} --tag "$tag" --file deploy/containers/Dockerfile .
    fi
done
if [ "${BUILD_WITH:-buildah}" = docker ]; then docker images 'linewarden/*'; else buildah images --filter reference='linewarden/*'; fi
