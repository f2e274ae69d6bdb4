#!/usr/bin/env python3
"""Writes augment/automatic_tables.c: the three policies of AutoAugment (Cubuk et al.,
arXiv:1805.09501, appendix), read from torchvision, which keeps them as data.

    python3 augment/automatic.py > augment/automatic_tables.c
"""
from torchvision.transforms.v2 import AutoAugment, AutoAugmentPolicy

OPERATION = {"ShearX": "SHEAR_X", "ShearY": "SHEAR_Y", "TranslateX": "SHIFT_X", "TranslateY": "SHIFT_Y",
             "Rotate": "ROTATE", "Brightness": "BRIGHTNESS", "Color": "SATURATION", "Contrast": "CONTRAST",
             "Sharpness": "SHARPNESS", "Posterize": "POSTERIZE", "Solarize": "SOLARIZE",
             "AutoContrast": "AUTOCONTRAST", "Equalize": "EQUALIZE", "Invert": "INVERT"}
print("/* Made by augment/automatic.py: which operation, with which chance, at which of ten magnitudes. */")
print('#include "automatic_tables.h"\n')
print("const vg_auto_pair vg_auto_tables[3][VG_AUTO_PAIRS] = {")
for policy in (AutoAugmentPolicy.IMAGENET, AutoAugmentPolicy.CIFAR10, AutoAugmentPolicy.SVHN):
    print("    {")
    for pair in AutoAugment()._get_policies(policy):
        print("        {{" + ", ".join("{VG_OP_%s, %.1ff, %d}" % (OPERATION[n], p, m or 0) for n, p, m in pair) + "}},")
    print("    },")
print("};")
