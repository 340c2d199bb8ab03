#ifndef SHADOW_ALTER_CLIBPQ_SHIM_H
#define SHADOW_ALTER_CLIBPQ_SHIM_H

#include <libpq-fe.h>

#endif
