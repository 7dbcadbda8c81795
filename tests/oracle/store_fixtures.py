#!/usr/bin/env python3
"""The files of tests/scripts/data that PyTorch, numpy and safetensors made:
ATEN_CPU_CAPABILITY=default python3 tests/oracle/store_fixtures.py tests/scripts/data"""
import os
import sys

import numpy as np
import torch
from safetensors.torch import save_file

os.chdir(sys.argv[1])
dtypes = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
          torch.bfloat16, torch.float32, torch.float64]
by_name = {str(t)[6:]: torch.arange(6).reshape(2, 3).to(t) for t in dtypes}
arrays = {name: t.numpy() for name, t in by_name.items() if name != "bfloat16"}
save_file({**by_name, "scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3),
           'odd "näme"\n': torch.ones(1)},
          "store_types.safetensors", metadata={"format": "pt", "author": "me"})
np.savez_compressed("store_arrays.npz", **arrays)
np.save("store_fortran.npy", np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)))
np.save("store_unsigned.npy", np.arange(3, dtype="u4"))

base = torch.arange(12.0).reshape(3, 4)
torch.save({"base": base, "transposed": base.t(), "row": base[1], "weight": torch.nn.Parameter(torch.ones(2)),
            "grad": torch.ones(2, requires_grad=True), "half": torch.ones(2).bfloat16(), "epoch": 3,
            "loss": 0.25, "name": "x", "flag": True, "none": None, "list": [1, -2, (3, 2**40)],
            "size": base.shape},
           "store_checkpoint.pt")
torch.save(by_name["bool"], "store_pickle5.pt", pickle_protocol=5)
torch.manual_seed(0)
torch.save(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict(), "store_state.pt")


class Evil:
    def __reduce__(self):
        return os.system, ("echo this must never be printed",)


torch.save({"a": Evil()}, "store_evil.pt")
torch.save(base, "store_legacy.pt", _use_new_zipfile_serialization=False)
