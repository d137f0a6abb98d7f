#include "serve/service_notices.h"

namespace pyhost::serve {

using os::Notification;

void ServiceNotices::notify(const Notification& notification) const {
  if (manager_) static_cast<void>(manager_->notify(notification));
}

void ServiceNotices::serving(const std::string& status) const {
  notify({.state = Notification::State::ready, .status = status});
}

void ServiceNotices::reloading() const {
  notify({.state = Notification::State::reloading,
          .reloading_since = os::monotonic_now(),
          .status = "Replacing the workers"});
}

void ServiceNotices::stopping(std::chrono::milliseconds time) const {
  notify({.state = Notification::State::stopping,
          .status = "Letting requests finish",
          .extended_timeout = time});
}

}  // namespace pyhost::serve
