-- Gradients: autograd.grad, requires_grad_, backward, and what goes wrong.

--%% A loss of a weight: (1 - x * w) squared
-- N215
x = torch.ones(1)
w = torch.full({1}, 2.)
mse = F.mse_loss(torch.ones(1), x * w)
x, w, mse
--> (tensor([1.]), tensor([2.]), tensor(1.))

--%% No gradient: w was never said to need one
-- N216
torch.autograd.grad(mse, {w})
--> RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
--> ...

--%% Said now
-- N217
w:requires_grad_()
--> tensor([2.], requires_grad=True)

--%% The loss was computed before that: still none
-- N218
torch.autograd.grad(mse, {w})
--> RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
--> ...

--%% Computed again
-- N219
-- There is a gradient for each tensor in the list.
mse = F.mse_loss(torch.ones(1), x * w)
torch.autograd.grad(mse, {w})
--> {tensor([2.])}

--%% backward leaves the gradients in .grad
-- N220
mse = F.mse_loss(torch.ones(1), x * w)
mse:backward()
w.grad
--> tensor([2.])

--%% Once only: the graph is freed as it is walked
-- N221
mse:backward()
--> RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.
--> ...

--%% Three numbers
-- N222
torch.manual_seed(0)
a = torch.rand(3)
a:requires_grad_()
--> tensor([0.4963, 0.7682, 0.0885], requires_grad=True)

--%% Their softmax knows where it came from
-- N223
p = F.softmax(a, dim=0)
p
--> tensor([0.3358, 0.4408, 0.2234], grad_fn=<SoftmaxBackward0>)

--%% backward starts from one number, not from three
-- N224
p:backward()
--> RuntimeError: grad can be implicitly created only for scalar outputs
--> ...

--%% The derivative of p[1] by each a: a row of softmax's Jacobian
-- N225
p = F.softmax(a, dim=0)
torch.autograd.grad(p[1], {a}, retain_graph=true)
--> {tensor([-0.1480,  0.2465, -0.0985])}

--%% The next row; the graph had been retained
-- N226
torch.autograd.grad(p[2], {a})
--> {tensor([-0.0750, -0.0985,  0.1735])}

--%% This time it had not
-- N227
torch.autograd.grad(p[2], {a})
--> RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.
--> ...

--%% With the numbers that the notes printed
-- L014
a = torch.tensor({0.0983, 0.3098, 0.4726}):requires_grad_()
a
--> tensor([0.0983, 0.3098, 0.4726], requires_grad=True)

--%% Their softmax
-- L015
-- In the notes the node is called SoftmaxBackward, by an older version.
p = F.softmax(a, dim=0)
p
--> tensor([0.2710, 0.3349, 0.3941], grad_fn=<SoftmaxBackward0>)

--%% The Jacobian's row 1
-- L016
torch.autograd.grad(p[1], {a}, retain_graph=true)
--> {tensor([-0.0908,  0.2227, -0.1320])}

--%% And row 2
-- L017
torch.autograd.grad(p[2], {a})
--> {tensor([-0.1068, -0.1320,  0.2388])}
