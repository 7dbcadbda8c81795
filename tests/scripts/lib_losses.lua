-- Every loss with its options: value and gradient; the .out file is what tests/oracle/lib_losses.py prints.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.4g"):format(v + 0.0) end
    return table.concat(words, " ")
end

local function show(name, f, ...)
    local input = (...)
    local x = input:detach():clone():requires_grad_()
    local y = f(x, select(2, ...))
    y:sum():backward()
    print(name, tostring(y.shape), numbers(y), numbers(x.grad))
end

torch.manual_seed(0)
local x, y, z = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 3)
local p, q = torch.rand(4, 3) * 0.9 + 0.05, torch.rand(4, 3)
local classes, sign = torch.tensor({0, 2, 1, 2}), torch.tensor({1, -1, 1, -1})
local w = torch.tensor({0.5, 1.0, 2.0})
local images, labels = torch.randn(2, 3, 2, 2), torch.tensor({{{0, 1}, {2, 1}}, {{2, 2}, {0, 1}}})

for _, reduction in ipairs {"mean", "sum", "none"} do
    for _, name in ipairs {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss"} do
        show(name .. " " .. reduction, F[name], x, name == "soft_margin_loss" and y:sign() or y, {reduction=reduction})
    end
    show("smooth_l1 beta " .. reduction, F.smooth_l1_loss, x, y, {reduction=reduction, beta=0.3})
    show("huber delta " .. reduction, F.huber_loss, x, y, {reduction=reduction, delta=0.3})
    show("mse weight " .. reduction, F.mse_loss, x, y, {reduction=reduction, weight=p})
    show("bce " .. reduction, F.binary_cross_entropy, p, q, {reduction=reduction})
    show("bce weight " .. reduction, F.binary_cross_entropy, p, q, {reduction=reduction, weight=w})
    show("bce logits " .. reduction, F.binary_cross_entropy_with_logits, x, q, {reduction=reduction, weight=w, pos_weight=w * 2})
    show("nll " .. reduction, F.nll_loss, x, classes, {reduction=reduction})
    show("nll weight " .. reduction, F.nll_loss, x, classes, {reduction=reduction, weight=w, ignore_index=1})
    show("nll one " .. reduction, F.nll_loss, x[0], torch.tensor(2), {reduction=reduction})
    show("nll images " .. reduction, F.nll_loss, images, labels, {reduction=reduction, weight=w, ignore_index=1})
    show("cross entropy " .. reduction, F.cross_entropy, x, classes, {reduction=reduction})
    show("cross entropy one " .. reduction, F.cross_entropy, x[0], torch.tensor(2), {reduction=reduction})
    show("cross entropy images " .. reduction, F.cross_entropy, images, labels, {reduction=reduction})
    show("cross entropy all " .. reduction, F.cross_entropy, x, classes, {reduction=reduction, weight=w, ignore_index=1, label_smoothing=0.2})
    show("cross entropy soft " .. reduction, F.cross_entropy, x, q, {reduction=reduction, weight=w, label_smoothing=0.1})
    show("kl " .. reduction, F.kl_div, x, q, {reduction=reduction})
    show("kl log " .. reduction, F.kl_div, x, y, {reduction=reduction, log_target=true})
    show("poisson " .. reduction, F.poisson_nll_loss, x, q * 5, {reduction=reduction, full=true})
    show("poisson plain " .. reduction, F.poisson_nll_loss, p, q, {reduction=reduction, log_input=false})
    show("gaussian " .. reduction, F.gaussian_nll_loss, x, y, p, {reduction=reduction, full=true})
    show("hinge " .. reduction, F.hinge_embedding_loss, x, y:sign(), {reduction=reduction, margin=0.5})
    show("ranking " .. reduction, F.margin_ranking_loss, x, y, z:sign(), {reduction=reduction, margin=0.5})
    show("triplet " .. reduction, F.triplet_margin_loss, x, y, z, {reduction=reduction})
    show("triplet swap " .. reduction, F.triplet_margin_loss, x, y, z, {reduction=reduction, p=1, margin=2, swap=true})
    show("cosine " .. reduction, F.cosine_embedding_loss, x, y, sign, {reduction=reduction, margin=0.2})
    show("multi margin " .. reduction, F.multi_margin_loss, x, classes, {reduction=reduction})
    show("multi margin 2 " .. reduction, F.multi_margin_loss, x, classes, {reduction=reduction, p=2, margin=0.5, weight=w})
end
show("kl batchmean", F.kl_div, x, q, {reduction="batchmean"})
show("normalize", F.normalize, x)
show("normalize 1", F.normalize, x, {p=1, dim=0})
show("cosine similarity", F.cosine_similarity, x, y)
show("pairwise distance", F.pairwise_distance, x, y)
show("pairwise distance 1", F.pairwise_distance, x, y, {p=1, keepdim=true})
show("bilinear", F.bilinear, x, y, torch.ones(2, 3, 3), torch.ones(2))
print(F.one_hot(classes), F.one_hot(classes, num_classes=4).shape)
for _, name in ipairs {"MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "SoftMarginLoss", "CosineSimilarity", "PairwiseDistance"} do
    local module = nn[name]()
    show(tostring(module), module, x, name == "SoftMarginLoss" and y:sign() or y)
end
show("BCELoss", nn.BCELoss(weight=w), p, q)
show("BCEWithLogitsLoss", nn.BCEWithLogitsLoss(pos_weight=w, reduction="sum"), x, q)
show("NLLLoss", nn.NLLLoss(w), x, classes)
show("CrossEntropyLoss", nn.CrossEntropyLoss(weight=w, label_smoothing=0.1), x, classes)
show("KLDivLoss", nn.KLDivLoss(reduction="batchmean"), x, q)
show("TripletMarginLoss", nn.TripletMarginLoss(margin=0.5), x, y, z)
show("GaussianNLLLoss", nn.GaussianNLLLoss(), x, y, p)
