// The handlers that WSGIHandlerScript defines.
#pragma once

#include <span>
#include <string_view>

#include "apache/httpd_api.h"
#include "settings/settings.h"

namespace pyhost::apache {

// The callable of every such script.
inline constexpr char kHandlerCallable[] = "handle_request";

// One WSGIHandlerScript. Its texts end with a NUL.
struct HandlerScript {
  const char* written = nullptr;       // the whole line
  const char* place = nullptr;         // where it stands, see places.h
  std::string_view name;               // as SetHandler and AddHandler know it
  std::string_view script;             // a path
  settings::RequestSettings settings;  // its options
};

// In a pool; of several with one name the first one counts.
using HandlerScripts = std::span<const HandlerScript* const>;

// What `inner` has counts before what `outer` has.
HandlerScripts merge_handlers(apr_pool_t* pool, HandlerScripts inner, HandlerScripts outer);

// One more, which counts before the others.
HandlerScripts with_handler(apr_pool_t* pool, const HandlerScript* added, HandlerScripts others);

// The script of the handler that httpd has chosen for the request; null when that is none of ours.
const HandlerScript* find_handler_script(const request_rec* r);

}  // namespace pyhost::apache
