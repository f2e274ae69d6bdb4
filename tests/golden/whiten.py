"""Golden values of tests/test_fit.c and tests/test_whiten.c: the training pictures of tests/make_idx.h, three
classes of 20 samples, 4 x 4 pixels. ZCA as keras_preprocessing computes it, X centred pixel by pixel."""
import numpy as np

SIZE = 4


def pixel(k, i, x, y):
    noise = ((i * 2654435761 + x * 40503 + y * 9973) % 2**64 & 0xFFFFFFFFFFFFFFFF) >> 4 & 63
    bar = (x if k % 2 else y) * 8 // SIZE == 1 + k % 6
    return 255 - noise if bar else noise


v = np.array([[pixel(k, i, x, y) for y in range(SIZE) for x in range(SIZE)] for k in range(3) for i in range(20)], float)
n = len(v)
print("mean", v.mean(0)[[0, 5, 15]], "std", v.std(0)[[0, 5, 15]], "rms", np.sqrt((v.std(0) ** 2).mean()))
x = (v - v.mean(0)) / 255
for epsilon in 0.1, 0.01:
    u, s, _ = np.linalg.svd(x.T, full_matrices=False)
    w = (u * (np.sqrt(n) / (s + epsilon * np.sqrt(n)))) @ u.T  # Keras' zca_epsilon is ours * sqrt(n)
    out = x @ w
    print("epsilon", epsilon, "W[0][0], W[0][1], W[7][9]", w[0, 0], w[0, 1], w[7, 9], "out[0][0], out[59][15]", out[0, 0], out[59, 15])
