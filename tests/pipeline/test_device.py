"""Peaks of devices, to which MFU is held."""

import pytest
import torch

from pipeline.device import Device, peak_flops, pick_device


@pytest.mark.parametrize(
    ("name", "bf16", "peak"),
    [
        ("NVIDIA H200", True, 989e12),
        ("NVIDIA H100 80GB HBM3", True, 989e12),
        ("NVIDIA H100 PCIe", True, 756e12),
        ("NVIDIA A100-SXM4-80GB", True, 312e12),
        ("NVIDIA A100-PCIE-40GB", False, 156e12),
        ("NVIDIA A10G", True, 70e12),
        ("NVIDIA L40S", True, 362e12),
        ("NVIDIA L4", True, 121e12),
        ("NVIDIA B200", True, 2250e12),
        ("NVIDIA GeForce RTX 4090", True, 165.2e12),
        ("NVIDIA GeForce RTX 3090 Ti", True, 80e12),
        ("Tesla V100-SXM2-32GB", True, None),
        ("Tesla T4", False, 8.1e12),
        ("NVIDIA H100 NVL", True, 835.5e12),
        ("NVIDIA H100 SXM5 80GB", True, 989e12),
        ("NVIDIA H200 NVL", False, 417.5e12),
        ("NVIDIA A100 80GB PCIe", True, 312e12),
        ("NVIDIA GH200 480GB", True, 989e12),
        ("Tesla V100-SXM2-16GB", False, 15.7e12),
        ("Tesla V100-PCIE-16GB", False, 14e12),
        ("Tesla P100-PCIE-16GB", False, 9.3e12),
    ],
)
def test_a_gpus_peak_is_its_data_sheets(name: str, bf16: bool, peak: float | None) -> None:
    assert peak_flops(Device("cuda", name, bf16), bf16) == peak


@pytest.mark.parametrize(
    "name",
    [
        "NVIDIA Fictional 9000",
        "NVIDIA RTX A1000",  # no A100
        "NVIDIA RTX A4000",  # no A40
        "Quadro P1000",  # no P100
        "NVIDIA T400 4GB",  # no T4
        "NVIDIA T4G",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 4090 D",
        "NVIDIA GeForce RTX 4080 SUPER",
        "NVIDIA GeForce RTX 3080 Ti",
        "NVIDIA GeForce RTX 3080 with Max-Q Design",
        "NVIDIA H100",  # PCIe, SXM and NVL differ
        "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
        "NVIDIA A30 MIG 2g.12gb",
        "GRID A100-4C",
        "NVIDIA A40-48Q",
    ],
)
def test_a_card_that_is_called_almost_so_or_a_part_of_one_has_no_peak(name: str) -> None:
    assert peak_flops(Device("cuda", name, bf16=True), bf16=True) is None
    assert peak_flops(Device("cuda", name, bf16=True), bf16=False) is None


def test_apples_gpus_have_no_peak_that_anybody_says() -> None:
    assert peak_flops(Device("mps", "Apple arm64 GPU", bf16=False), bf16=False) is None


def test_a_processors_peak_is_measured_once_and_leaves_the_random_numbers_alone() -> None:
    cpu = pick_device("cpu")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    peak = peak_flops(cpu, bf16=False)
    assert peak is not None
    assert peak > 0
    assert torch.equal(torch.rand(3), expected)
    assert peak_flops(cpu, bf16=False) == peak
