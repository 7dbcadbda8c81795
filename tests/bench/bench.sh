#!/bin/sh
# make bench: Tide's timings, beside PyTorch's when $PYTHON can import torch, beside OpenBLAS called directly.
set -u
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python=
if "${PYTHON:=python3}" -c 'import torch' 2>/dev/null; then
    python=$PYTHON
else
    echo "bench: $PYTHON cannot import torch: Tide alone (another one: make bench PYTHON=…)" >&2
fi
for worker in tide pytorch openblas; do
    mkfifo "$work/$worker" || exit 1
done
"$TIDE" "$here/driver.lua" "$work" "$here" "$TIDE" "${GEMM:-}" "$python" "${ONLY:-}"
