// For processes that were killed and need not be waited for.
#pragma once

#include "os/event_loop.h"

namespace pyhost::os {

// Takes the end of the process away whenever the kernel lets it go, which a dead filesystem may
// delay for ever.
void reap_later(EventLoop& loop, base::UniqueFd pidfd);

}  // namespace pyhost::os
