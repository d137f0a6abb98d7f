// pyhost-lookout: watches files as their owner may. Started by pyhost-supervisor only.
#include <fcntl.h>

#include "control/watch_list.h"
#include "control/worker_descriptors.h"
#include "control/worker_report.h"
#include "lookout/lookout.h"

int main() {
  using namespace pyhost;
  const auto list = control::read_watch_list(control::kWorkerSettingsFd);
  if (!list) {
    control::report_failure(list.error().sentence);
    return 1;
  }
  lookout::Lookout lookout(control::kWorkerStatusFd);
  lookout.follow(*list);
  lookout.run();
}
