-- Modules: a network as a class, inheritance, parameters, apply; and the chain rule.

--%% A network of three layers
-- N312
-- Layers register by assignment, in order; `init` is Python's __init__, and nn.class needs no super()
-- call.
torch.random.manual_seed(420)
x = torch.rand({500, 20}, dtype=torch.float32)
y = torch.randint(low=0, high=3, size={500, 1}, dtype=torch.float32)
Model = nn.class("Model")
function Model:init(in_features, out_features)
    self.Linear1 = nn.Linear(in_features or 10, 13, bias=true)
    self.Linear2 = nn.Linear(13, 8, bias=true)
    self.output = nn.Linear(8, out_features or 2, bias=true)
end
function Model:forward(x)
    local z1 = self.Linear1(x)
    local sigma1 = torch.relu(z1)
    local z2 = self.Linear2(sigma1)
    local sigma2 = torch.sigmoid(z2)
    local z3 = self.output(sigma2)
    local sigma3 = F.softmax(z3, dim=1)
    return sigma3
end

--%% 500 samples with 20 features
-- N313
x.shape
--> torch.Size([500, 20])

--%% In three classes
-- N314
x.shape[1], y:unique()
--> (20, tensor([0., 1., 2.]))

--%% The network's sizes follow from that
-- N315
input_ = x.shape[1]
output_ = #y:unique()
input_, output_
--> (20, 3)

--%% A row of three probabilities for each sample
-- N316
torch.random.manual_seed(420)
net = Model(input_, output_)
net:forward(x).shape
--> torch.Size([500, 3])

--%% Calling the network calls forward
-- N317
net(x)
--> tensor([[0.4140, 0.3496, 0.2365],
-->         [0.4210, 0.3454, 0.2336],
-->         [0.4011, 0.3635, 0.2355],
-->         ...,
-->         [0.4196, 0.3452, 0.2352],
-->         [0.4153, 0.3455, 0.2392],
-->         [0.4153, 0.3442, 0.2405]], grad_fn=<SoftmaxBackward0>)

--%% Weights are [outputs, inputs]
-- N318
net.Linear1.weight.shape
--> torch.Size([13, 20])

--%% The second layer's
-- N319
net.Linear2.weight.shape
--> torch.Size([8, 13])

--%% The last one's
-- N320
net.output.weight.shape
--> torch.Size([3, 8])

--%% A bias for each output
-- N321
net.Linear1.bias.shape
--> torch.Size([13])

--%% Inheritance: a parent with a field and a method
-- N322
FooParent = nn.class("FooParent")
function FooParent:init()
    self.parent = "PARENT!!"
    print("Running __init__,I am parent")
end
function FooParent:bar(message)
    self.bar = "This is bar"
    print(("%s from Parent"):format(message))
end

--%% Making one runs init
-- N323
-- Python then shows the object's address, Tide its class.
FooParent()
--> Running __init__,I am parent
--> FooParent()

--%% Its field
-- N324
FooParent().parent
--> Running __init__,I am parent
--> "PARENT!!"

--%% A child with an init of its own
-- N325
FooChild = nn.class("FooChild", FooParent)
function FooChild:init()
    print("Running __init__,I am child")
end

--%% Methods are inherited
-- N326
FooChild():bar("HAHAHA")
--> Running __init__,I am child
--> HAHAHA from Parent

--%% The parent's init has not run: there is no such field
-- N327
-- Python raises "AttributeError: 'FooChild' object has no attribute 'parent'"; in Lua a field that is not
-- there is nil.
FooChild().parent == nil
--> Running __init__,I am child
--> true

--%% Unless the child calls it
-- N328
-- Python writes super(FooChild, self).__init__().
FooChild = nn.class("FooChild", FooParent)
function FooChild:init()
    FooParent.init(self)
    print("I am running __init__,I am child")
end

--%% Now the field is there
-- N329
FooChild().parent
--> Running __init__,I am parent
--> I am running __init__,I am child
--> "PARENT!!"

--%% A new network is in training mode
-- N330
net.training
--> true

--%% eval and train switch it
-- N331
net:eval().training, net:train().training
--> (false, true)

--%% apply calls a function on every module, the innermost first, and returns the network
-- N332
-- Python asks type(m) == nn.Linear.
function initial_0(m)
    print(m)
    if m.__class__ == nn.Linear then
        m.weight.data:fill_(0)
        print(m.weight)
    end
end
net:apply(initial_0)
--> Linear(in_features=20, out_features=13, bias=True)
--> Parameter containing:
--> tensor([[0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.]],
-->        requires_grad=True)
--> Linear(in_features=13, out_features=8, bias=True)
--> Parameter containing:
--> tensor([[0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.]],
-->        requires_grad=True)
--> Linear(in_features=8, out_features=3, bias=True)
--> Parameter containing:
--> tensor([[0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0.]], requires_grad=True)
--> Model(
-->   (Linear1): Linear(in_features=20, out_features=13, bias=True)
-->   (Linear2): Linear(in_features=13, out_features=8, bias=True)
-->   (output): Linear(in_features=8, out_features=3, bias=True)
--> )
--> Model(
-->   (Linear1): Linear(in_features=20, out_features=13, bias=True)
-->   (Linear2): Linear(in_features=13, out_features=8, bias=True)
-->   (output): Linear(in_features=8, out_features=3, bias=True)
--> )

--%% The parameters are a list
-- N333
-- Python shows a generator's address.
#net:parameters()
--> 6

--%% The biases are as seed 420 made them, the weights zero
-- N334
for _, param in ipairs(net:parameters()) do
    print(param)
end
--> Parameter containing:
--> tensor([[0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.]],
-->        requires_grad=True)
--> Parameter containing:
--> tensor([ 1.3508e-01,  1.5439e-01, -1.9350e-01, -6.8777e-02,  1.3787e-01,
-->         -1.8474e-01,  1.2763e-01,  1.8031e-01,  9.5152e-02, -1.2660e-01,
-->          1.4317e-01, -1.4945e-01,  3.4258e-05], requires_grad=True)
--> Parameter containing:
--> tensor([[0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.]],
-->        requires_grad=True)
--> Parameter containing:
--> tensor([ 0.0900, -0.0597,  0.0268, -0.0173,  0.0065,  0.0228, -0.1408,  0.1188],
-->        requires_grad=True)
--> Parameter containing:
--> tensor([[0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0.],
-->         [0., 0., 0., 0., 0., 0., 0., 0.]], requires_grad=True)
--> Parameter containing:
--> tensor([-0.0156, -0.0730, -0.2637], requires_grad=True)

--%% The first bias, from its printed numbers
-- L026
torch.nn.Parameter(torch.tensor({
    1.3508e-01, 1.5439e-01, -1.9350e-01, -6.8777e-02, 1.3787e-01, -1.8474e-01, 1.2763e-01,
    1.8031e-01, 9.5152e-02, -1.2660e-01, 1.4317e-01, -1.4945e-01, 3.4258e-05}))
--> Parameter containing:
--> tensor([ 1.3508e-01,  1.5439e-01, -1.9350e-01, -6.8777e-02,  1.3787e-01,
-->         -1.8474e-01,  1.2763e-01,  1.8031e-01,  9.5152e-02, -1.2660e-01,
-->          1.4317e-01, -1.4945e-01,  3.4258e-05], requires_grad=True)

--%% Moving a network returns the network itself
-- N335
net:cpu() == net
--> true

--%% cuda() too, where there is a GPU
-- N336
-- Without one PyTorch says "Torch not compiled with CUDA enabled".
if torch.opencl.is_available() then net:cuda():cpu() end
net.Linear1.weight.device
--> device(type='cpu')

--%% fill_ writes into the weights themselves; .data keeps autograd out of it
-- N337
net.Linear1.weight.data:fill_(0).shape
--> torch.Size([13, 20])

--%% The chain rule: the derivatives of two steps, multiplied
-- N338
x = torch.tensor(1.)
w1 = torch.tensor(2., requires_grad=true)
b1 = torch.tensor(1.)
w2 = torch.tensor(2., requires_grad=true)
b2 = torch.tensor(1.)
y1 = x * w1 + b1
y2 = y1 * w2 + b2
dy2_dy1 = torch.autograd.grad(y2, {y1}, retain_graph=true)[1]
dy1_dw1 = torch.autograd.grad(y1, {w1}, retain_graph=true)[1]
dy2_dw1 = torch.autograd.grad(y2, {w1}, retain_graph=true)[1]
dy2_dy1 * dy1_dw1
--> tensor(2.)

--%% Are the derivative of both at once
-- N339
dy2_dw1
--> tensor(2.)

--%% The steps
-- N340
x, w1, y1, y2, dy2_dy1, dy1_dw1
--> (tensor(1.),
-->  tensor(2., requires_grad=True),
-->  tensor(3., grad_fn=<AddBackward0>),
-->  tensor(7., grad_fn=<AddBackward0>),
-->  tensor(2.),
-->  tensor(1.))
