#include "apache/access/dispatch.h"

#include "apache/access/ask.h"
#include "apache/access/unavailable.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

using gateway::DispatchItem;

void replace(apr_pool_t* pool, const gateway::Answer& answer, DispatchItem item,
             std::optional<std::string_view>& setting) {
  const auto& chosen = answer.items[static_cast<std::size_t>(item)];
  if (chosen) setting = pool_copy(pool, *chosen);
}

// "" is httpd's own process, or the main interpreter.
void replace_group(apr_pool_t* pool, const gateway::Answer& answer, DispatchItem item,
                   std::optional<std::string_view>& setting) {
  replace(pool, answer, item, setting);
  if (setting && setting->empty()) setting = settings::kGlobalName;
}

}  // namespace

tl::expected<void, Refusal> dispatch(request_rec* r, settings::RequestSettings& settings) {
  const HookScript* hook = hook_for(r, settings::Hook::dispatch);
  if (hook == nullptr) return {};
  const auto answer = ask(r, *hook, gateway::QuestionKind::dispatch);
  // The log has why.
  if (!answer) return tl::unexpected(Refusal{status_of_refusal(r, answer.error())});
  replace_group(r->pool, *answer, DispatchItem::process_group, settings.process_group);
  replace_group(r->pool, *answer, DispatchItem::application_group, settings.application_group);
  replace(r->pool, *answer, DispatchItem::callable, settings.callable_object);
  return {};
}

}  // namespace pyhost::apache
