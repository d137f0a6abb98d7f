#include "apache/config/config.h"

#include "apache/pool.h"
#include "settings/directives.h"

namespace pyhost::apache {

ServerConfig& server_config(const server_rec* s) {
  return *static_cast<ServerConfig*>(ap_get_module_config(s->module_config, &wsgi_module));
}

bool has_own_config(const server_rec* s) {
  return s == ap_server_conf || &server_config(s) != &server_config(ap_server_conf);
}

DirectoryConfig& directory_config(const ap_conf_vector_t* per_dir_config) {
  return *static_cast<DirectoryConfig*>(ap_get_module_config(per_dir_config, &wsgi_module));
}

const settings::ProcessSettings& process_settings() {
  return server_config(ap_server_conf).process;
}

void complete_settings(server_rec* main_server) {
  auto& process = server_config(main_server).process;
  process = settings::inherit(process, settings::process_defaults());
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    auto& request = server_config(s).request;
    request = settings::inherit(request, settings::kRequestDefaults);
  }
}

void* create_directory_config(apr_pool_t* pool, char*) {
  return pool_new<DirectoryConfig>(pool);
}

void* merge_directory_config(apr_pool_t* pool, void* parent, void* child) {
  const auto& outer = *static_cast<DirectoryConfig*>(parent);
  const auto& inner = *static_cast<DirectoryConfig*>(child);
  return pool_new<DirectoryConfig>(
      pool, DirectoryConfig{.request = settings::inherit(inner.request, outer.request),
                            .hooks = inherit(inner.hooks, outer.hooks),
                            .handlers = merge_handlers(pool, inner.handlers, outer.handlers),
                            .group_place = inner.request.process_group ? inner.group_place
                                                                       : outer.group_place});
}

void* create_server_config(apr_pool_t* pool, server_rec*) {
  return pool_new<ServerConfig>(pool);
}

void* merge_server_config(apr_pool_t* pool, void* parent, void* child) {
  const auto& main_server = *static_cast<ServerConfig*>(parent);
  const auto& virtual_host = *static_cast<ServerConfig*>(child);
  auto* merged = pool_new<ServerConfig>(pool);
  merged->request = settings::inherit(virtual_host.request, main_server.request);
  merged->places = virtual_host.places;
  merged->places.insert(main_server.places.begin(), main_server.places.end());
  merged->aliases = virtual_host.aliases;
  merged->aliases.insert(merged->aliases.end(), main_server.aliases.begin(),
                         main_server.aliases.end());
  merged->handlers = merge_handlers(pool, virtual_host.handlers, main_server.handlers);
  merged->preloads = virtual_host.preloads;
  merged->groups = virtual_host.groups;
  merged->inert = virtual_host.inert;
  merged->hooks = inherit(virtual_host.hooks, main_server.hooks);
  merged->hook_lines = virtual_host.hook_lines;
  return merged;
}

}  // namespace pyhost::apache
