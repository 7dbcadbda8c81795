-- Losses: squared error, binary cross entropy, cross entropy, entropy, and softmax without overflow.

--%% The mean squared error of 50 guesses
-- N185
torch.manual_seed(0)
yhat = torch.randn(size={50}, dtype=torch.float32)
y = torch.randn(size={50}, dtype=torch.float32)
criterion = nn.MSELoss()
loss = criterion(yhat, y)
loss
--> tensor(2.2969)

--%% The sum of squared errors, 50 times as much
-- N186
criterion = nn.MSELoss(reduction="sum")
loss = criterion(yhat, y)
loss
--> tensor(114.8451)

--%% How many samples: 3 * 10^3 and 3 * 10^6
-- N187
-- A power is a float in Lua, and a size must be an integer: hence math.tointeger.
math.tointeger(3 * 10 ** 3), math.tointeger(3 * 10 ** 6)
--> (3000, 3000000)

--%% Binary cross entropy from scratch: the data, and sigmoid's answer
-- N188
-- Seed 420 gives the notes' own numbers.
m = math.tointeger(3 * 10 ** 3)
torch.random.manual_seed(420)
X = torch.rand({m, 4}, dtype=torch.float32)
w = torch.rand({4, 1}, dtype=torch.float32)
y = torch.randint(low=0, high=2, size={m, 1}, dtype=torch.float32)
zhat = torch.mm(X, w)
sigma = torch.sigmoid(zhat)
sigma.shape
--> torch.Size([3000, 1])

--%% The mean of -log of what the right answer got
-- N189
-- Python's own sum adds row after row; this function is what it does. A row has one element, and so has
-- the sum.
function sum(rows)
    local total = 0
    for _, row in pairs(rows) do total = total + row end
    return total
end
loss = -(1/m) * sum(y * torch.log(sigma) + (1 - y) * torch.log(1 - sigma))
loss
--> tensor([0.7962])

--%% torch.sum does it in one go and leaves no dim
-- N190
-(1/m) * torch.sum(y * torch.log(sigma) + (1 - y) * torch.log(1 - sigma))
--> tensor(0.7962)

--%% A thousand times as much data
-- N191
m = math.tointeger(3 * 10 ** 6)
torch.random.manual_seed(420)
X = torch.rand({m, 4}, dtype=torch.float32)
w = torch.rand({4, 1}, dtype=torch.float32)
y = torch.randint(low=0, high=2, size={m, 1}, dtype=torch.float32)
zhat = torch.mm(X, w)
sigma = torch.sigmoid(zhat)

--%% Row after row
-- N192
start1 = os.clock()
loss1 = -(1/m) * sum(y * torch.log(sigma) + (1 - y) * torch.log(1 - sigma))
now1 = os.clock()
seconds1 = now1 - start1

--%% Adding three million numbers one by one in float32 loses digits
-- N193
loss1
--> tensor([0.8692])

--%% In one go: a small part of the time
-- N194
start2 = os.clock()
loss2 = -(1/m) * torch.sum(y * torch.log(sigma) + (1 - y) * torch.log(1 - sigma))
now2 = os.clock()
now2 - start2 < seconds1 / 5
--> true

--%% And more exact
-- N195
loss2
--> tensor(0.8685)

--%% The same losses ready made; the second one takes what sigmoid has not yet been applied to
-- N196
criterion1 = nn.BCELoss()
loss1 = criterion1(sigma, y)
criterion2 = nn.BCEWithLogitsLoss()
loss2 = criterion2(zhat, y)
loss1, loss2
--> (tensor(0.8685), tensor(0.8685))

--%% The sum instead of the mean
-- N197
nn.BCELoss(reduction="sum")(sigma, y)
--> tensor(2605616.5000)

--%% Or each sample's own
-- N198
nn.BCELoss(reduction="none")(sigma, y).shape
--> torch.Size([3000000, 1])

--%% The labels must be floats
-- N199
nn.BCELoss()(sigma[:4], y[:4]:long())
--> RuntimeError: Found dtype Long but expected Float
--> ...

--%% And of the same shape
-- N200
nn.BCELoss()(sigma[:4], y[:4, 0])
--> ValueError: Using a target size (torch.Size([4])) that is different to the input size (torch.Size([4, 1])) is deprecated. Please ensure they have the same size.
--> ...

--%% Three classes: LogSoftmax, a row for each sample
-- N201
m = math.tointeger(3 * 10 ** 3)
torch.random.manual_seed(420)
X = torch.rand({m, 4}, dtype=torch.float32)
w = torch.rand({4, 3}, dtype=torch.float32)
y = torch.randint(low=0, high=3, size={m}, dtype=torch.float32)
zhat = torch.mm(X, w)
logsm = nn.LogSoftmax(dim=1)
logsigma = logsm(zhat)
logsigma
--> tensor([[-1.1139, -0.8802, -1.3585],
-->         [-1.0558, -0.8982, -1.4075],
-->         [-1.0920, -1.0626, -1.1430],
-->         ...,
-->         [-1.0519, -0.9180, -1.3805],
-->         [-1.0945, -1.1219, -1.0798],
-->         [-1.0276, -0.8891, -1.4649]])

--%% NLLLoss picks what the right class got
-- N202
criterion = nn.NLLLoss()
criterion(logsigma, y:long())
--> tensor(1.1147)

--%% Class labels must be integers
-- N203
criterion(logsigma, y)
--> RuntimeError: expected target dtype to be Long or Byte, but got Float
--> ...

--%% CrossEntropyLoss is both in one
-- N204
criterion = nn.CrossEntropyLoss()
criterion(zhat, y:long())
--> tensor(1.1147)

--%% The notes keep a remark as a text cell
-- N205
-- Lua's long strings go over lines.
remark = [[
The output layer's activation belongs to the loss where numbers must be stable,
to the network where its structure should be seen.
]]
#remark > 0
--> true

--%% A text cell echoes with its line ends spelled out
-- N206
"line one\nline two\n"
--> "line one\nline two\n"

--%% Four equally likely answers
-- N207
a = torch.full({4}, 1/4.)
a
--> tensor([0.2500, 0.2500, 0.2500, 0.2500])

--%% Their entropy: two bits
-- N208
-(a * torch.log2(a)):sum()
--> tensor(2.)

--%% One of them more likely: less surprise
-- N209
a = torch.tensor({0.1, 0.1, 0.1, 0.7});
-(a * torch.log2(a)):sum()
--> tensor(1.3568)

--%% Nearly certain: hardly any
-- N210
a = torch.tensor({0.001, 0.001, 0.001, 0.999});
-(a * torch.log2(a)):sum()
--> tensor(0.0313)

--%% Cross entropy of one sample from its logits
-- N211
torch.manual_seed(0)
x = torch.randn(1, 784)
w = torch.randn(10, 784)
logits = x @ w:t()
pred = F.softmax(logits, dim=1)
pred_log = torch.log(pred)
F.cross_entropy(logits, torch.tensor({3}))
--> tensor(30.9880)

--%% The same from the logarithms of the probabilities
-- N212
F.nll_loss(pred_log, torch.tensor({3}))
--> tensor(30.9880)

--%% softmax turns numbers into probabilities
-- N213
torch.softmax(torch.tensor({2.0, 1.0, 0.1}), 0)
--> tensor([0.6590, 0.2424, 0.0986])

--%% Cross entropy and entropy: equal only if both distributions are
-- N214
p1 = torch.tensor({0.1, 0.1, 0.1, 0.7})
q1 = torch.tensor({0.25, 0.25, 0.25, 0.25});
-(p1 * torch.log2(q1)):sum(), -(p1 * torch.log2(p1)):sum()
--> (tensor(2.), tensor(1.3568))

--%% softmax by its formula: exp(1010) is infinite, and infinite over infinite is nan
-- N228
z = torch.tensor({1010, 100, 999}, dtype=torch.float32)
torch.exp(z) / torch.sum(torch.exp(z))
--> tensor([nan, nan, nan])

--%% torch.softmax takes the largest off first
-- N229
torch.softmax(z, 0)
--> tensor([9.9998e-01, 0.0000e+00, 1.6701e-05])

--%% It wants to know along which dim
-- N230
torch.softmax(z)
--> TypeError: softmax() missing 1 required positional arguments: "dim"
--> ...

--%% Smaller numbers: the formula does
-- N231
z = torch.tensor({10, 9, 5}, dtype=torch.float32)
torch.exp(z) / torch.sum(torch.exp(z))
--> tensor([0.7275, 0.2676, 0.0049])

--%% With the same result
-- N232
torch.softmax(z, 0)
--> tensor([0.7275, 0.2676, 0.0049])

--%% Probabilities add up to one
-- N233
torch.softmax(z, 0):sum()
--> tensor(1.)

--%% Three dims
-- N234
s = torch.tensor({
    {{1, 2, 4, 5}, {3, 4, 4, 5}, {5, 6, 4, 5}},
    {{5, 6, 4, 5}, {7, 8, 4, 5}, {9, 10, 4, 5}}}, dtype=torch.float32)
s, s.shape
--> (tensor([[[ 1.,  2.,  4.,  5.],
-->           [ 3.,  4.,  4.,  5.],
-->           [ 5.,  6.,  4.,  5.]],
-->
-->          [[ 5.,  6.,  4.,  5.],
-->           [ 7.,  8.,  4.,  5.],
-->           [ 9., 10.,  4.,  5.]]]),
-->  torch.Size([2, 3, 4]))

--%% A shape counts from 0 too
-- N235
s.shape[0], s.shape[1], s.shape[2]
--> (2, 3, 4)

--%% Or from the end
-- N236
s.shape[-3], s.shape[-2], s.shape[-1]
--> (2, 3, 4)

--%% Along dim 0: the two matrices compete
-- N237
torch.softmax(s, dim=0)
--> tensor([[[0.0180, 0.0180, 0.5000, 0.5000],
-->          [0.0180, 0.0180, 0.5000, 0.5000],
-->          [0.0180, 0.0180, 0.5000, 0.5000]],
--> 
-->         [[0.9820, 0.9820, 0.5000, 0.5000],
-->          [0.9820, 0.9820, 0.5000, 0.5000],
-->          [0.9820, 0.9820, 0.5000, 0.5000]]])

--%% Along dim 1: the rows
-- N238
torch.softmax(s, dim=1)
--> tensor([[[0.0159, 0.0159, 0.3333, 0.3333],
-->          [0.1173, 0.1173, 0.3333, 0.3333],
-->          [0.8668, 0.8668, 0.3333, 0.3333]],
--> 
-->         [[0.0159, 0.0159, 0.3333, 0.3333],
-->          [0.1173, 0.1173, 0.3333, 0.3333],
-->          [0.8668, 0.8668, 0.3333, 0.3333]]])

--%% Along dim 2: the columns
-- N239
torch.softmax(s, dim=2)
--> tensor([[[0.0128, 0.0347, 0.2562, 0.6964],
-->          [0.0723, 0.1966, 0.1966, 0.5344],
-->          [0.1966, 0.5344, 0.0723, 0.1966]],
--> 
-->         [[0.1966, 0.5344, 0.0723, 0.1966],
-->          [0.2562, 0.6964, 0.0128, 0.0347],
-->          [0.2671, 0.7262, 0.0018, 0.0049]]])
