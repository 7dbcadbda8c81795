/* device.c - devices by name. */
#include "engine/backend.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char const *device_name(Device d, char *buf, size_t size)
{
    if (d.type == DEVICE_CPU)
        snprintf(buf, size, "cpu");
    else
        snprintf(buf, size, "opencl:%d", d.index);
    return buf;
}

bool device_parse(const char *text, Device *out)
{
    size_t n = strcspn(text, ":");
    bool cpu = n == 3 && strncmp(text, "cpu", 3) == 0;
    bool gpu = (n == 6 && strncmp(text, "opencl", 6) == 0) || (n == 4 && strncmp(text, "cuda", 4) == 0) ||
               (n == 3 && strncmp(text, "gpu", 3) == 0);
    if (!cpu && !gpu)
        return tide_refuse(
            "RuntimeError",
            "Expected one of cpu, opencl, gpu, cuda device type at start of device string: %.60s", text);
    long index = 0;
    if (text[n] == ':') {
        char *end;
        index = strtol(text + n + 1, &end, 10);
        if (!isdigit((unsigned char)text[n + 1]) || *end || index > 254)
            return tide_refuse("RuntimeError", "Invalid device string: '%.60s'", text);
    }
    if (cpu && index != 0)
        return tide_refuse("RuntimeError", "CPU device index must be -1 or zero, got %ld", index);
    *out = (Device){cpu ? DEVICE_CPU : DEVICE_OPENCL, (uint8_t)index};
    return true;
}

bool device_synchronize(Device d) { return backend_of(d)->sync(d.index); }
