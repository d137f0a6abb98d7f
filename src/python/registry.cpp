#include "python/registry.h"

#include <fmt/format.h>

#include "base/out_of_memory.h"

namespace pyhost::python {

InterpreterRegistry::Found InterpreterRegistry::get_or_create(std::string_view application_group) {
  if (application_group == gateway::kMainInterpreter) return &runtime_.main();
  const std::string name(application_group);
  std::unique_lock lock(mutex_);
  if (const auto known = groups_.find(name); known != groups_.end()) {
    const Making making = known->second;
    made_.wait(lock, [&] { return making->has_value(); });
    return **making;
  }
  if (subs_max_ != 0 && groups_.size() >= subs_max_) {
    return tl::unexpected(Failure{
        base::Message::interpreter_limit,
        fmt::format("application group '{}' is one more than WSGIInterpreterLimit {} allows", name,
                    subs_max_)});
  }
  const Making making =
      groups_.emplace(name, std::make_shared<std::optional<Found>>()).first->second;

  lock.unlock();
  // A text that is short enough to need no memory.
  const auto failed = [] {
    return Found(tl::unexpected(Failure{base::Message::interpreter_failed, "out of memory"}));
  };
  Found created = base::unless_out_of_memory([&] { return create(name); }, failed);
  lock.lock();
  // Others wait for it.
  if (!created) groups_.erase(name);
  *making = std::move(created);
  made_.notify_all();
  return **making;
}

InterpreterRegistry::Found InterpreterRegistry::create(const std::string& name) {
  auto created = runtime_.create_interpreter(name, lock_of_(name));
  if (created) return *created;
  return tl::unexpected(
      Failure{base::Message::interpreter_failed,
              fmt::format("the interpreter of application group '{}' could not be created: {}",
                          name, created.error().sentence)});
}

std::vector<Interpreter*> InterpreterRegistry::all() {
  std::vector<Interpreter*> interpreters{&runtime_.main()};
  const std::lock_guard lock(mutex_);
  for (const auto& [name, making] : groups_) {
    if (*making && **making) interpreters.push_back(***making);
  }
  return interpreters;
}

}  // namespace pyhost::python
