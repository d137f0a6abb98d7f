#include "worker/child_connections.h"

#include <unistd.h>

#include "base/clock.h"

namespace pyhost::worker {

ChildConnection& ChildConnections::add(base::UniqueFd socket) {
  const std::uint64_t id = next_++;
  return *connections_.emplace(id, std::make_unique<ChildConnection>(id, std::move(socket)))
              .first->second;
}

void ChildConnections::set_idle(ChildConnection& child, base::TimePoint now) noexcept {
  child.idle = true;
  child.idle_since = now;
}

ChildConnection* ChildConnections::take(std::uint64_t id) noexcept {
  const auto found = connections_.find(id);
  if (found == connections_.end() || !found->second->idle) return nullptr;
  found->second->idle = false;
  found->second->used = true;
  return found->second.get();
}

void ChildConnections::close_idle_since(base::TimePoint moment) {
  std::erase_if(connections_, [moment](const auto& entry) {
    return entry.second->idle && entry.second->idle_since < moment;
  });
}

bool ChildConnections::close_idlest() {
  const ChildConnection* idlest = nullptr;
  for (const auto& [id, child] : connections_) {
    if (!child->idle || !child->used) continue;
    if (idlest == nullptr || child->idle_since < idlest->idle_since) idlest = child.get();
  }
  if (idlest != nullptr) close(idlest->id);
  return idlest != nullptr;
}

void ChildConnections::close_descriptors() const noexcept {
  for (const auto& [id, child] : connections_) ::close(child->connection.fd());
}

}  // namespace pyhost::worker
