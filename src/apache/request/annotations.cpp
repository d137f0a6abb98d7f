#include "apache/request/annotations.h"

#include "apache/pool.h"

namespace pyhost::apache {

void annotate(request_rec* r, std::span<const gateway::Annotation> annotations) {
  using Kind = gateway::Annotation::Kind;
  for (const auto& [kind, name, value] : annotations) {
    if (kind == Kind::user) {
      request_rec* main = main_request(r);
      const char* user = pool_c_string(main->pool, value);
      if (main->user == nullptr) main->user = const_cast<char*>(user);
      r->user = const_cast<char*>(user);
      continue;
    }
    apr_table_t* table = kind == Kind::note ? r->notes : r->subprocess_env;
    apr_table_setn(table, pool_c_string(r->pool, name), pool_c_string(r->pool, value));
  }
}

}  // namespace pyhost::apache
