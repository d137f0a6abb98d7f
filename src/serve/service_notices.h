// What the service manager that has started this program is told.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "os/service_manager.h"

namespace pyhost::serve {

// Nothing without such a manager. One that cannot be reached any more is no reason to stop serving.
class ServiceNotices {
 public:
  explicit ServiceNotices(std::optional<os::ServiceManager> manager)
      : manager_(std::move(manager)) {}

  // The application serves, for the first time or after a reload.
  void serving(const std::string& status) const;
  void reloading() const;
  // It ends within that time.
  void stopping(std::chrono::milliseconds time) const;

 private:
  void notify(const os::Notification& notification) const;

  std::optional<os::ServiceManager> manager_;
};

}  // namespace pyhost::serve
