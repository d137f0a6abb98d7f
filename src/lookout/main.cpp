// pyhost-lookout: watches files as their owner may. Started by pyhost-supervisor only.
#include <fcntl.h>

#include "lookout/lookout.h"
#include "control/worker_settings.h"

int main() {
  using namespace pyhost;
  const auto list = gateway::read_watch_list(gateway::kWorkerSettingsFd);
  if (!list) return 1;
  lookout::Lookout lookout(gateway::kWorkerStatusFd);
  lookout.follow(*list);
  lookout.run();
}
