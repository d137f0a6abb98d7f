#include "apache/config/handler_scripts.h"

#include <algorithm>

#include "apache/config/config.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

const HandlerScript* find(HandlerScripts scripts, std::string_view name) {
  const auto found =
      std::ranges::find_if(scripts, [name](const auto* script) { return script->name == name; });
  return found == scripts.end() ? nullptr : *found;
}

}  // namespace

HandlerScripts merge_handlers(apr_pool_t* pool, HandlerScripts inner, HandlerScripts outer) {
  if (inner.empty()) return outer;
  if (outer.empty()) return inner;
  const std::size_t count = inner.size() + outer.size();
  auto** const merged =
      static_cast<const HandlerScript**>(apr_palloc(pool, count * sizeof(HandlerScript*)));
  std::ranges::copy(outer, std::ranges::copy(inner, merged).out);
  return {merged, count};
}

HandlerScripts with_handler(apr_pool_t* pool, const HandlerScript* added, HandlerScripts others) {
  return merge_handlers(pool, {pool_new<const HandlerScript*>(pool, added), 1}, others);
}

const HandlerScript* find_handler_script(const request_rec* r) {
  const auto name = view_or_empty(r->handler);
  if (name.empty()) return nullptr;
  const auto* inner = find(directory_config(r->per_dir_config).handlers, name);
  return inner != nullptr ? inner : find(server_config(r->server).handlers, name);
}

}  // namespace pyhost::apache
