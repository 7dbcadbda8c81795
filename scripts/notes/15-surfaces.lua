-- Surfaces and a way down: two losses over a grid, Adam on Himmelblau's function, accuracy, Visdom.

--%% The picture of a loss over two weights, turned by a slider
-- N341
-- A surface comes with the chapter on pictures.

--%% Its numbers: a grid of 400 by 400 points, in float64
-- N342
w1 = torch.arange(-10, 10, 0.05, dtype=torch.float64)
w2 = torch.arange(-10, 10, 0.05, dtype=torch.float64)
w1, w2 = table.unpack(torch.meshgrid(w1, w2, indexing="xy"))
lossfn = (2 - w1 - w2) ** 2 + (4 - 3*w1 - w2) ** 2
w1.shape, w2.shape, lossfn.shape, lossfn:min():item(), lossfn:max():item(),
    lossfn[0, 0]:item(), lossfn[200, 200]:item(), lossfn[220, 220]:item()
--> (torch.Size([400, 400]),
-->  torch.Size([400, 400]),
-->  torch.Size([400, 400]),
-->  0.0,
-->  2420.0,
-->  2420.0,
-->  20.0,
-->  0.0)

--%% Himmelblau's function over a grid of 120 by 120 points
-- N343
-- It takes what has an x[0] and an x[1]: here a stack of two grids, below a tensor of two numbers. The
-- notes print the first two sizes twice.
function himmelblau(x)
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
end
x = torch.arange(-6, 6, 0.1, dtype=torch.float64)
y = torch.arange(-6, 6, 0.1, dtype=torch.float64)
print("x,y range:", x.shape, y.shape)
X, Y = table.unpack(torch.meshgrid(x, y, indexing="xy"))
print("X,Y maps:", X.shape, Y.shape)
Z = himmelblau(torch.stack({X, Y}))
--> x,y range:	torch.Size([120])	torch.Size([120])
--> X,Y maps:	torch.Size([120, 120])	torch.Size([120, 120])

--%% Its lowest and highest point, a corner and the middle
-- N344
X.shape, Z.shape, Z:min():item(), Z:max():item(), Z[0, 0]:item(), Z[60, 60]:item()
--> (torch.Size([120, 120]),
-->  torch.Size([120, 120]),
-->  2.9187853493177437e-29,
-->  2019.0482000000018,
-->  890.0,
-->  170.0)

--%% The picture of that surface
-- N345
-- It comes with the chapter on pictures.

--%% Adam walks down from (0, 0): 20000 steps to the minimum at (3, 2)
-- N346
-- torch.repr writes a float in the shortest form that reads back, as Python does.
x = torch.tensor({0., 0.}, requires_grad=true)
optimizer = torch.optim.Adam({x}, lr=1e-3)
for step = 0, 19999 do
    local pred = himmelblau(x)
    optimizer:zero_grad()
    pred:backward()
    optimizer:step()
    if step % 2000 == 0 then
        print(("step%d:x = %s,f(x) = %s"):format(step, torch.repr(x:tolist()), torch.repr(pred:item())))
    end
end
--> step0:x = {0.0009999999310821295, 0.0009999999310821295},f(x) = 170.0
--> step2000:x = {2.333181142807007, 1.9540694952011108},f(x) = 13.730901718139648
--> step4000:x = {2.9820079803466797, 2.0270984172821045},f(x) = 0.014858869835734367
--> step6000:x = {2.999983549118042, 2.0000221729278564},f(x) = 1.1074007488787174e-08
--> step8000:x = {2.9999938011169434, 2.0000083446502686},f(x) = 1.5572823031106964e-09
--> step10000:x = {2.999997854232788, 2.000002861022949},f(x) = 1.8189894035458565e-10
--> step12000:x = {2.9999992847442627, 2.0000009536743164},f(x) = 1.6370904631912708e-11
--> step14000:x = {2.999999761581421, 2.000000238418579},f(x) = 1.8189894035458565e-12
--> step16000:x = {3.0, 2.0},f(x) = 0.0
--> step18000:x = {3.0, 2.0},f(x) = 0.0

--%% What Adam remembers of its way: steps, mean gradient, mean squared gradient
-- N347
x, optimizer.state[x].step, optimizer.state[x].exp_avg, optimizer.state[x].exp_avg_sq
--> (tensor([3., 2.], requires_grad=True),
-->  tensor(20000.),
-->  tensor([-5.6052e-45, -5.6052e-45]),
-->  tensor([3.6285e-05, 1.1231e-05]))

--%% Its settings
-- N348
optimizer
--> Adam (
--> Parameter Group 0
-->     amsgrad: False
-->     betas: (0.9, 0.999)
-->     capturable: False
-->     decoupled_weight_decay: False
-->     differentiable: False
-->     eps: 1e-08
-->     foreach: None
-->     fused: None
-->     lr: 0.001
-->     maximize: False
-->     weight_decay: 0
--> )

--%% Adam by hand, added up as PyTorch 1 did: the notes' own trace, to its last digit
-- N346
-- It differs from optim.Adam's only in step 2000: PyTorch 2 moves the mean by lerp, which rounds
-- otherwise.
at = torch.tensor({0., 0.}, requires_grad=true)
mean, square = torch.zeros(2), torch.zeros(2)
beta1, beta2, lr, eps = 0.9, 0.999, 1e-3, 1e-8
for step = 0, 19999 do
    local pred = himmelblau(at)
    local g = torch.autograd.grad(pred, {at})[1]
    do
        local _ <close> = torch.no_grad()
        mean = mean * beta1 + (1 - beta1) * g
        square = square * beta2 + (1 - beta2) * g * g
        local size = lr / (1 - beta1 ** (step + 1))
        local denominator = square:sqrt() / math.sqrt(1 - beta2 ** (step + 1)) + eps
        at += -size * mean / denominator
    end
    if step % 2000 == 0 then
        print(("step%d:x = %s,f(x) = %s"):format(step, torch.repr(at:tolist()), torch.repr(pred:item())))
    end
end
--> step0:x = {0.0009999999310821295, 0.0009999999310821295},f(x) = 170.0
--> step2000:x = {2.3331806659698486, 1.9540694952011108},f(x) = 13.730916023254395
--> step4000:x = {2.9820079803466797, 2.0270984172821045},f(x) = 0.014858869835734367
--> step6000:x = {2.999983549118042, 2.0000221729278564},f(x) = 1.1074007488787174e-08
--> step8000:x = {2.9999938011169434, 2.0000083446502686},f(x) = 1.5572823031106964e-09
--> step10000:x = {2.999997854232788, 2.000002861022949},f(x) = 1.8189894035458565e-10
--> step12000:x = {2.9999992847442627, 2.0000009536743164},f(x) = 1.6370904631912708e-11
--> step14000:x = {2.999999761581421, 2.000000238418579},f(x) = 1.8189894035458565e-12
--> step16000:x = {3.0, 2.0},f(x) = 0.0
--> step18000:x = {3.0, 2.0},f(x) = 0.0

--%% Accuracy: the class with the largest probability
-- N349
torch.manual_seed(0)
logits = torch.rand(4, 10)
F.softmax(logits, dim=1):argmax(dim=1)
--> tensor([7, 7, 6, 1])

--%% softmax does not change which is the largest
-- N350
logits:argmax(dim=1)
--> tensor([7, 7, 6, 1])

--%% Compared with the right classes
-- N351
correct = torch.eq(logits:argmax(dim=1), torch.tensor({1, 9, 2, 3}))
correct
--> tensor([False, False, False, False])

--%% The share of right ones
-- N352
correct:sum():float():item() / 4
--> 0.0

--%% With the classes that the notes printed
-- L022
correct = torch.eq(torch.tensor({1, 9, 5, 1}), torch.tensor({1, 9, 2, 3}))
correct
--> tensor([ True,  True, False, False])

--%% Half of them are right
-- L023
correct:sum():float():item() / 4
--> 0.5

--%% Visdom: starting the server
-- N353
-- Curves in a browser come with the chapter on Visdom.

--%% One curve, point by point
-- N354
-- It comes with the chapter on Visdom.

--%% Several curves with a legend
-- N355
-- They come with the chapter on Visdom.

--%% Pictures and text in a browser
-- N356
-- They come with the chapter on Visdom.

--%% What would be shown there: a batch of pictures
-- N357
torch.manual_seed(0)
data = torch.rand(20, 1, 28, 28):view(-1, 28*28)
data:view(-1, 1, 28, 28).shape
--> torch.Size([20, 1, 28, 28])

--%% And the predictions, as NumPy writes them
-- N358
torch.manual_seed(0)
logits = torch.rand(4, 10)
pred = logits:argmax(dim=1)
local text = "[" .. table.concat(pred:tolist(), " ") .. "]"
text
--> "[7 7 6 1]"

--%% A tensor's own text
-- N359
tostring(torch.tensor({0.5, 0.25, 1e-3})), tostring(torch.tensor({{1, 2}, {3, 4}}))
--> ("tensor([0.5000, 0.2500, 0.0010])", "tensor([[1, 2],\n        [3, 4]])")
