// pyhost-worker: serves the requests of one process group. Started by pyhost-supervisor only.
#include "worker/worker_process.h"

int main() {
  pyhost::worker::run_worker();
}
