/* What mod_floor and floor_server exchange: as many bytes as mod_pyhost and its worker do for a
   request like wrk's. */
#pragma once

#define FLOOR_REQUEST_BYTES 1024
#define FLOOR_REPLY_BYTES 128
