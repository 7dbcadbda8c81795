-- Lesson 3: autograd. How derivatives are found without writing any down.
--
-- Step through it at the prompt with `%lesson scripts/lessons/3-autograd.lua`. Between two cells you may type what you
-- like; Enter goes on.

--%% A number we want the derivative for
-- requires_grad asks that what is computed from x is remembered.
x = torch.tensor(3., requires_grad=true)
y = x ** 2 + 2 * x
y
--> tensor(15., grad_fn=<AddBackward0>)

--%% y knows how it was made
-- grad_fn is the op that made y; behind it hang the ops before it, down to x.
y.grad_fn:name()
--> "AddBackward0"

--%% The whole graph
-- Each line is made from what stands below it. The right side says what is kept for the derivative, and which cell and
-- line made it. x comes in twice: it is shown once and referred to.
%graph y
--> AddBackward0 ()            In [2]:3
--> |- PowBackward0 ()         saves 12 bytes   In [2]:3
--> |  AccumulateGrad x () #1
--> `- MulBackward0 ()         saves 8 bytes   In [2]:3
-->    see #1 AccumulateGrad

--%% backward() walks the graph from y to x
-- The derivative of x^2 + 2x is 2x + 2: at x = 3 that is 8.
y:backward()
x.grad
--> tensor(8.)

--%% Once used, the graph is gone
-- What the ops kept is freed by backward(). The error says which op, and which line made it.
y:backward()
--> RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.
-->   In [6]:2: y:backward()
-->   MulBackward0 was recorded at In [2]:3: what it saved was freed by an earlier backward

--%% Gradients add up
-- A second backward() adds to x.grad; this is why training clears gradients in each step.
z = 5 * x
z:backward()
x.grad
--> tensor(13.)

--%% Clearing
x.grad = nil
(5 * x):backward()
x.grad
--> tensor(5.)

--%% Many inputs at once
-- The gradient has the shape of w: how much the loss grows with each of its elements.
w = torch.tensor({1., -2., 3.}, requires_grad=true)
data = torch.tensor({0.5, 1., 2.})
loss = ((w * data):sum() - 4) ** 2
loss:backward()
w.grad
--> tensor([0.5000, 1.0000, 2.0000])

--%% Its numbers, by hand
-- loss = (s - 4)^2 with s the sum: the derivative by w[2] is 2 (s - 4) data[2].
%trace (2 * ((w * data):sum() - 4) * data)[2]
--> (2 * ((w * data):sum() - 4) * data)[2] = 2.0
-->   w[0]     1.0
-->   data[0]  0.5
-->   w[1]     -2.0
-->   data[1]  1.0
-->   w[2]     3.0
-->   data[2]  2.0
-->   (w * data)[0] = 1.0 * 0.5 = 0.5
-->   (w * data)[1] = (-2.0) * 1.0 = -2.0
-->   (w * data)[2] = 3.0 * 2.0 = 6.0
-->   (w * data):sum() = 0.5 + (-2.0) + 6.0 = 4.5
-->   (w * data):sum() - 4 = 4.5 - 4 = 0.5
-->   2 * ((w * data):sum() - 4) = 2 * 0.5 = 1.0
-->   (2 * ((w * data):sum() - 4) * data)[2] = 1.0 * 2.0 = 2.0

--%% Two ways from w to the loss
-- Where paths join again, their gradients are added: d/dw of w*w + w is 2w + 1.
v = torch.tensor({1., 2.}, requires_grad=true)
both = v * v + v
both:sum():backward()
v.grad
--> tensor([3., 5.])

--%% Changing what is still needed
-- exp keeps its result for the derivative. Overwriting it is found out when backward() needs it; the error says where
-- it was saved and where it was written to.
p = torch.tensor({0., 1.}, requires_grad=true)
q = p:exp()
total = q:sum()
q:mul_(2)
total:backward()
--> RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2]], which is output 0 of Exp, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).
-->   In [12]:7: total:backward()
-->   ExpBackward0 was recorded at In [12]:4: the tensor was saved there, and then written to at In [12]:6

--%% no_grad(): computing without remembering
-- A step of gradient descent changes w itself; that is nothing to differentiate.
do
  local _ <close> = torch.no_grad()
  w -= 0.1 * w.grad
end
w
--> tensor([ 0.9500, -2.1000,  2.8000], requires_grad=True)

--%% Derivatives of derivatives
-- create_graph keeps the graph of the derivative: the third power's second derivative is 6x.
t = torch.tensor(2., requires_grad=true)
first = torch.autograd.grad(t ** 3, {t}, create_graph=true)[1]
second = torch.autograd.grad(first, {t})[1]
first, second
--> (tensor(12., grad_fn=<MulBackward0>), tensor(12.))

--%% For you
-- The slope of sin at 0 is 1. Which cell would you change to find it at pi?
s = torch.tensor(0., requires_grad=true)
s:sin():backward()
s.grad
--> tensor(1.)
