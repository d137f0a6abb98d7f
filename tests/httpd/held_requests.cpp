#include "httpd/held_requests.h"

#include <filesystem>
#include <fstream>

namespace pyhost::test {

HeldRequests::HeldRequests(const Httpd& httpd, std::string folder, int count)
    : folder_(std::move(folder)), count_(count) {
  for (int i = 0; i < count; ++i) {
    clients_.emplace_back([&httpd, path = "/wait?" + mark(i)] { httpd.get(path); });
  }
}

bool HeldRequests::all_run() const {
  return wait_until([this] {
    for (int i = 0; i < count_; ++i) {
      if (!std::filesystem::exists(mark(i) + ".begun")) return false;
    }
    return true;
  });
}

void HeldRequests::release() {
  for (int i = 0; i < count_; ++i) std::ofstream(mark(i));
  clients_.clear();
}

}  // namespace pyhost::test
