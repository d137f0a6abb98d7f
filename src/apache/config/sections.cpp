#include "apache/config/sections.h"

namespace pyhost::apache {
namespace {

void add(const apr_array_header_t* sections, std::vector<const ap_conf_vector_t*>& into) {
  if (sections == nullptr) return;
  for (int i = 0; i < sections->nelts; ++i) {
    const auto* section = APR_ARRAY_IDX(sections, i, const ap_conf_vector_t*);
    into.push_back(section);
    const auto& core = *static_cast<core_dir_config*>(ap_get_core_module_config(section));
    add(core.sec_file, into);
    add(core.sec_if, into);
  }
}

}  // namespace

std::vector<const ap_conf_vector_t*> sections_of(const server_rec* s) {
  const auto& core = *static_cast<core_server_config*>(ap_get_core_module_config(s->module_config));
  std::vector<const ap_conf_vector_t*> sections;
  const auto& defaults =
      *static_cast<core_dir_config*>(ap_get_core_module_config(s->lookup_defaults));
  add(defaults.sec_file, sections);
  add(defaults.sec_if, sections);
  add(core.sec_dir, sections);
  add(core.sec_url, sections);
  return sections;
}

const DirectoryConfig* directory_config_or_null(const ap_conf_vector_t* section) {
  return static_cast<DirectoryConfig*>(ap_get_module_config(section, &wsgi_module));
}

}  // namespace pyhost::apache
