#include "worker/lines.h"

#include <unistd.h>

namespace pyhost::worker {

Line& Lines::add(base::UniqueFd socket) {
  const std::uint64_t id = next_++;
  return *lines_.emplace(id, std::make_unique<Line>(id, std::move(socket))).first->second;
}

void Lines::set_idle(Line& line, TimePoint now) noexcept {
  line.idle = true;
  line.idle_since = now;
}

Line* Lines::take(std::uint64_t id) noexcept {
  const auto found = lines_.find(id);
  if (found == lines_.end() || !found->second->idle) return nullptr;
  found->second->idle = false;
  found->second->used = true;
  return found->second.get();
}

void Lines::close_idle_since(TimePoint moment) {
  std::erase_if(lines_, [moment](const auto& entry) {
    return entry.second->idle && entry.second->idle_since < moment;
  });
}

bool Lines::close_idlest() {
  const Line* idlest = nullptr;
  for (const auto& [id, line] : lines_) {
    if (!line->idle || !line->used) continue;
    if (idlest == nullptr || line->idle_since < idlest->idle_since) idlest = line.get();
  }
  if (idlest != nullptr) close(idlest->id);
  return idlest != nullptr;
}

void Lines::close_descriptors() const noexcept {
  for (const auto& [id, line] : lines_) ::close(line->connection.fd());
}

}  // namespace pyhost::worker
