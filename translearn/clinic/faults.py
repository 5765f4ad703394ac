"""The faults that the clinic knows: what each means, what helps, and what it is mistaken for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that can be wrong with a training run.

    meaning    one sentence
    remedies   what helps, in the order to try
    alike      names of faults that a training record may not tell it from
    apart      the experiment that does tell them apart, or ""
    """

    meaning: str
    remedies: tuple
    alike: tuple = ()
    apart: str = ""


FAULTS = {
    "rate too high": Fault(
        "The steps are so large that the loss jumps about, rises, or ends in NaN.",
        (
            "Divide the learning rate by 10, and again until the loss falls smoothly.",
            "Find a rate with a range test, and start with a warm-up.",
            "Clip the gradients (clipnorm=1).",
        ),
        ("batch too small", "inputs on the wrong scale", "overfitting"),
        "Train again with a tenth of the rate and nothing else changed. If the loss falls "
        "smoothly now, it was the rate. If it still jumps, double the batch: then it was that. If "
        "the training loss is smooth and only validation rises, regularise more.",
    ),
    "rate too low": Fault(
        "The steps are so small that the weights hardly move in the epochs given.",
        (
            "Multiply the learning rate by 10 as long as the loss falls faster.",
            "Find a rate with a range test.",
            "Use an optimiser that adapts its steps, such as Adam.",
        ),
        ("stopped too early", "too little capacity", "everything frozen"),
        "Train again for as many epochs with ten times the rate. If the loss falls much faster, "
        "it was the rate; if it falls as before for longer, it was stopped too early; if it stays "
        "on its level, the network has too little capacity.",
    ),
    "logits mismatch": Fault(
        "The loss expects logits and gets probabilities, or the other way round (`from_logits`).",
        (
            "A last layer without activation goes with from_logits=True, one with softmax or "
            "sigmoid with from_logits=False.",
        ),
    ),
    "inputs on the wrong scale": Fault(
        "The first layer with weights gets numbers far larger or smaller than it was made for.",
        (
            "Scale the inputs as the network was trained on them (for a pretrained network, its "
            "own preprocessing, once).",
            "For a new network: divide by 255, or standardise with a Normalization layer adapted "
            "on the training set.",
        ),
        ("rate too high", "rate too low"),
        "Standardise the inputs and train again with the same rate. If all is well, it was the "
        "scale; if not, try a tenth of the rate.",
    ),
    "wrong labels": Fault(
        "A share of the labels is wrong.",
        (
            "Look at the training examples with the highest loss; mend or drop the wrong ones.",
            "Stop early, before the network learns the wrong labels by heart.",
            "Smooth the labels (label_smoothing=0.1).",
        ),
        ("overfitting", "too little capacity"),
        "Look at thirty of the examples with the highest loss. If many are labelled wrongly, it "
        "is the labels; if they are right, the network overfits or is too small.",
    ),
    "shuffled pairs": Fault(
        "Inputs and labels have lost each other: a label belongs to another example.",
        (
            "Look at ten inputs with their labels.",
            "Shuffle inputs and labels with one permutation; sort both or neither; zip data sets "
            "before you shuffle.",
        ),
        ("wrong labels", "overfitting"),
        "Show ten training inputs with their labels: it takes a minute.",
    ),
    "forgotten recompile": Fault(
        "Layers were unfrozen after the model had trained, and it was not compiled again: the "
        "step still trains the old list of weights.",
        ("Call model.compile(…) after every change of `trainable`, and fit again.",),
    ),
    "batch normalisation in training mode": Fault(
        "Batch normalisation uses the statistics of each batch while it trains, and its stored "
        "ones do not fit: the network you evaluate is not the one you train.",
        (
            "Freeze the batch normalisation layers of a pretrained network (trainable = False), "
            "and call it with training=False.",
            "Use larger batches, or a lower momentum, so that the moving statistics keep up.",
        ),
        ("overfitting", "batch too small"),
        "Evaluate on the training data. If the loss is far above the one that fit reports, it is "
        "batch normalisation; if it is as low, it is overfitting.",
    ),
    "dead units": Fault(
        "Units give zero for every input, get no gradient, and will not wake up.",
        (
            "Lower the learning rate: a large step often kills them.",
            "Use He initialisation, and biases of zero.",
            "Use LeakyReLU, ELU or GELU instead of ReLU, or batch normalisation before it.",
        ),
        ("rate too high", "collapse to the majority"),
        "Count the dead units before the first step and after it. If they are dead from the start "
        "it is the initialisation; if they die in training it is the rate.",
    ),
    "collapse to the majority": Fault(
        "The model gives nearly every example the most frequent class.",
        (
            "Watch balanced accuracy or AUC instead of accuracy.",
            "Weight the classes (class_weight) or draw them evenly.",
            "Check the rate and the scale of the inputs: a collapse can be their consequence.",
        ),
        ("rate too high", "rate too low", "dead units"),
        "Train again with class_weight and a tenth of the rate, one after the other.",
    ),
    "overfitting": Fault(
        "Training goes on getting better while validation gets worse.",
        (
            "Stop at the best validation loss (EarlyStopping, restore_best_weights=True).",
            "More data, or augmentation.",
            "Regularise: dropout, weight decay, label smoothing; or train fewer weights.",
        ),
        ("rate too high", "wrong labels"),
        "Train again with a tenth of the rate and nothing else changed. If training jumped "
        "before and is smooth and better now, it was the rate. If validation still turns and "
        "rises while training falls, it is overfitting. A lower validation loss alone proves "
        "nothing: both remedies bring it.",
    ),
    "too little capacity": Fault(
        "The network cannot fit even the training data, however long it trains.",
        (
            "Widen the narrowest layer, or add one.",
            "Unfreeze another block, or take features from another block.",
            "Regularise less.",
        ),
        ("rate too low", "everything frozen", "wrong labels"),
        "Try to fit twenty examples perfectly. If that fails with a good rate, the network is too "
        "small.",
    ),
    "everything frozen": Fault(
        "No weight that matters is trained: all is frozen, or a frozen part was never trained.",
        (
            "Unfreeze the head, and compile again.",
            "Load pretrained weights into the part that stays frozen.",
        ),
        ("rate too low", "too little capacity"),
        "Print model.summary(): it counts the trainable weights.",
    ),
    "leak between training and validation": Fault(
        "Validation examples stand in the training set too, so the validation score is too good.",
        (
            "Split before you augment or copy, and by group when pictures belong together.",
            "Drop duplicates, then split again.",
        ),
        ("overfitting",),
        "Score on examples that are certainly new, gathered another day.",
    ),
    "stopped too early": Fault(
        "Training ended while training and validation were both still getting better.",
        (
            "Train for more epochs, with EarlyStopping to end it.",
            "Raise the patience.",
        ),
        ("rate too low",),
        "Train on for as many epochs again. If validation falls by as much again, it was stopped "
        "too early; if ten times the rate gets there in the same time, the rate was too low.",
    ),
    "slow input pipeline": Fault(
        "The processor waits for data: much of each step is spent fetching the batch.",
        (
            "Cache what is the same in every epoch (dataset.cache()).",
            "Read and decode in parallel, ahead of time (num_parallel_calls, prefetch).",
            "Do the expensive preparation once and store its result.",
        ),
    ),
    "batch too small": Fault(
        "Each step sees so few examples that its direction is mostly noise.",
        (
            "Use a larger batch (32 or more).",
            "Lower the learning rate, or average over steps (gradient_accumulation_steps).",
        ),
        ("rate too high", "batch normalisation in training mode"),
        "Train again with four times the batch at the same rate, then with a quarter of the rate "
        "at the same batch: if only the first helps, it was the batch.",
    ),
}
