"""Hand-written PyTorch training of the networks of end_to_end.py; prints images a second,
from the second epoch on, and the seconds of the first.

    python benchmarks/torch_loop.py DATA.npz NETWORK PRECISION EPOCHS BATCH_SIZE PARAMETERS

Needs PyTorch and NumPy only. What a careful hand does: channels_last, bfloat16 autocast, no copies
that can be spared, the loss read once an epoch. Stops where the network has another number of
trainable parameters than the one that it is compared with.
"""

import itertools
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def conv_bn(entering: int, leaving: int, size: int, stride: int = 1, groups: int = 1):
    conv = nn.Conv2d(entering, leaving, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(leaving))


class Sum(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Logits(nn.Module):
    def __init__(self, features: nn.Module, pool, width: int, bias: bool = True, scale=1.0):
        super().__init__()
        self.features, self.pool, self.scale = features, pool, scale
        self.head = nn.Linear(width, 10, bias=bias)

    def forward(self, x):
        return self.head(self.pool(self.features(x)).float()) * self.scale


def average(x):
    return x.mean((2, 3))


def largest(x):
    return x.amax((2, 3))


def mini_vgg():
    widths = (3, 32, 64, 96)
    pairs = itertools.pairwise(widths)
    features = nn.Sequential(*[nn.Sequential(conv_bn(a, b, 3), nn.ReLU6(True)) for a, b in pairs])
    return Logits(features, lambda x: torch.cat([average(x), largest(x)], 1), 192)


def resnet9(width: int = 32):
    def block(a, b):
        return nn.Sequential(conv_bn(a, b, 3), nn.ReLU(True))

    def halved(a, b):
        return nn.Sequential(block(a, b), nn.MaxPool2d(2))

    def residual(a):
        return Sum(block(a, a), block(a, a))

    w = width
    parts = (
        *(block(3, w), halved(w, 2 * w), residual(2 * w), halved(2 * w, 4 * w)),
        *(halved(4 * w, 8 * w), residual(8 * w)),
    )
    return Logits(nn.Sequential(*parts), largest, 8 * w, bias=False, scale=0.125)


def mini_mobilenet_v2():
    blocks = [(24, 1), (32, 2), (32, 1), *[(48, 1)] * 3, (88, 2), *[(88, 1)] * 3]
    layers = [conv_bn(3, 48, 3), nn.ReLU6(True)]
    entering = 48
    for number, (leaving, stride) in enumerate(blocks):
        inner = entering * (6 if number else 1)
        widen = [conv_bn(entering, inner, 1), nn.ReLU6(True)] if number else []
        filtered = [conv_bn(inner, inner, 3, stride, groups=inner), nn.ReLU6(True)]
        kind = Sum if stride == 1 and entering == leaving else nn.Sequential
        layers.append(kind(*widen, *filtered, conv_bn(inner, leaving, 1)))
        entering = leaving
    last = int(1280 * 1.4)
    layers += [conv_bn(entering, last, 1), nn.ReLU6(True)]
    return Logits(nn.Sequential(*layers), average, last)


def mlp():
    hidden = (nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))


def tensors(data, part: str):
    x = torch.from_numpy(data[f"x_{part}"]).permute(0, 3, 1, 2)
    return x.contiguous(memory_format=torch.channels_last), torch.from_numpy(data[f"y_{part}"])


def images_per_second(path: str, network: str, precision: str, epochs: int, size: int, count: int):
    torch.manual_seed(0)
    data = np.load(path)
    (x, y), (val_x, val_y) = tensors(data, "train"), tensors(data, "validation")
    y, val_y = y.long(), val_y.long()
    model = globals()[network]().to(memory_format=torch.channels_last)
    found = sum(p.numel() for p in model.parameters())
    if found != count:
        sys.exit(f"{network} has {found} trainable parameters here, and {count} there")
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, nesterov=True)
    bfloat16 = torch.autocast("cpu", torch.bfloat16, enabled=precision == "mixed_bfloat16")
    times = [time.perf_counter()]
    for _ in range(epochs):
        model.train()
        total = torch.zeros(())
        for rows in torch.randperm(len(x)).split(size):
            optimizer.zero_grad(set_to_none=True)
            with bfloat16:
                outputs = model(x[rows])
            loss = functional.cross_entropy(outputs.float(), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        model.eval()
        with torch.no_grad(), bfloat16:
            parts = zip(val_x.split(size), val_y.split(size), strict=True)
            right = sum(int((model(a).argmax(1) == b).sum()) for a, b in parts)
        print(float(total) / len(x), right / len(val_x), file=sys.stderr)
        times.append(time.perf_counter())
    return (epochs - 1) * len(x) / (times[-1] - times[1]), times[1] - times[0]


if __name__ == "__main__":
    path, network, precision, *numbers = sys.argv[1:]
    print(*images_per_second(path, network, precision, *map(int, numbers)))
