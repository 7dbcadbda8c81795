/* resample.h - inside the engine: what resampling's forwards and kernels both name. */
#ifndef TIDE_RESAMPLE_H
#define TIDE_RESAMPLE_H

/* How an element is made: of the element at its place's start, at its middle, of the two or the four around it. */
typedef enum Interpolation { NEAREST, NEAREST_EXACT, LINEAR, CUBIC } Interpolation;

#endif
