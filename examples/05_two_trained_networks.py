"""Two networks that torch trained, joined by a path that the kernel checks."""

import torch

import theorylab as tl
from theorylab.experiments.data import exact_dataset, load_dataset

digits = load_dataset("digits")
x = torch.tensor(digits.x[:24])
y = torch.nn.functional.one_hot(torch.tensor(digits.y[:24]), 10)


def trained(seed):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 10))
    descent = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(200):
        descent.zero_grad()
        (net(x) - y).square().sum(1).mean().backward()
        descent.step()
    return tl.Network.from_torch(net)  # each float is the dyadic rational that it is


(network, a), (_, b) = trained(1), trained(2)
found = tl.connect(network, exact_dataset("digits", 24), a, b)
print(found.outcome, "at max loss:", found.assurance, *found.lemmas)

# prints:
# proved at max loss: kernel Lemma 2
