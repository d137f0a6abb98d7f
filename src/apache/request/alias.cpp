#include "apache/request/alias.h"

#include <algorithm>
#include <optional>
#include <string>

#include "apache/pool.h"
#include "apache/request/alias_match.h"
#include "apache/request/request_record.h"

namespace pyhost::apache {
namespace {

// mod_alias's mark for requests that need no Options ExecCGI; other modules look at it.
constexpr char kAliasNote[] = "alias-forced-type";

struct AliasHit {
  const ScriptAlias* alias;
  const char* target;   // with the parts of a regular expression filled in
  std::size_t covered;  // how much of the URI the alias stands for
};

std::optional<AliasHit> try_alias(request_rec* r, const ScriptAlias& alias) {
  if (alias.regex == nullptr) {
    const auto covered = match_alias(r->uri, alias.path);
    if (!covered) return std::nullopt;
    return AliasHit{&alias, alias.target.data(), *covered};
  }
  ap_regmatch_t groups[AP_MAX_REG_MATCH];
  if (ap_regexec(alias.regex, r->uri, AP_MAX_REG_MATCH, groups, 0) != 0) return std::nullopt;
  const char* target = ap_pregsub(r->pool, alias.target.data(), r->uri, AP_MAX_REG_MATCH, groups);
  if (target == nullptr) return std::nullopt;
  return AliasHit{&alias, target, static_cast<std::size_t>(groups[0].rm_eo)};
}

std::optional<AliasHit> first_hit(request_rec* r) {
  for (const ScriptAlias* alias : server_config(r->server).aliases) {
    if (auto hit = try_alias(r, *alias)) return hit;
  }
  return std::nullopt;
}

// Tells httpd which file it is, if it is one. httpd would look for it one component after the
// other, and would not heed sections about the script itself when something stands behind it in the
// URL. Gives what was found.
apr_filetype_e know_file(request_rec* r, const char* target, const char* path_info) {
  apr_finfo_t found{};
  if (apr_stat(&found, target, APR_FINFO_MIN, r->pool) != APR_SUCCESS) return APR_NOFILE;
  if (found.filetype == APR_REG) {
    r->filename = apr_pstrdup(r->pool, target);
    r->path_info = apr_pstrdup(r->pool, path_info);
    ap_no2slash(r->path_info);
    r->finfo = found;
  }
  return found.filetype;
}

// The same for a script in a folder, whose name is what stands in the URL up to the first file.
apr_filetype_e know_file_below(request_rec* r, const char* folder, const char* rest) {
  const std::string_view names = rest;
  std::size_t end = 0;
  apr_filetype_e found = APR_DIR;
  while (found == APR_DIR && end < names.size()) {
    end = std::min(names.find('/', names.find_first_not_of('/', end)), names.size());
    const std::string script = folder + std::string(names.substr(0, end));
    found = know_file(r, script.c_str(), rest + end);
  }
  return found;
}

// A URL that was rewritten may have dots that lead elsewhere; httpd has taken away all others.
void take_dots_away(request_rec* r) {
  char* uri = apr_pstrdup(r->pool, r->uri);
  ap_getparents(uri);
  r->uri = uri;
}

bool may_have_dots(const request_rec* r) {
  return view_or_empty(r->uri).find("/.") != std::string_view::npos;
}

}  // namespace

const ScriptAlias* find_alias(request_rec* r) {
  if (const RequestRecord* record = record_or_null(r); record != nullptr && record->alias) {
    return record->alias;
  }
  // mod_dir takes the notes of its subrequest over to the request, but not the module records.
  if (view_or_empty(apr_table_get(r->notes, kAliasNote)) != kHandler) return nullptr;
  const auto hit = first_hit(r);
  return hit ? hit->alias : nullptr;
}

int translate_alias(request_rec* r) {
  if (r->uri == nullptr || r->uri[0] != '/') return DECLINED;
  auto hit = first_hit(r);
  if (hit && may_have_dots(r)) {
    take_dots_away(r);
    hit = first_hit(r);
  }
  if (!hit) return DECLINED;

  const bool to_module = hit->alias->kind == gateway::TargetKind::module;
  const bool to_directory = view_or_empty(hit->target).ends_with('/');
  // What follows a script in the URL begins with a slash, even if the alias ended with that slash.
  const char* rest =
      r->uri + (to_directory ? hit->covered : without_trailing_slashes(r->uri, hit->covered));
  if (to_module) {
    r->filename = apr_pstrcat(r->pool, hit->target, ":",
                              hit->alias->settings.callable_object->data(), nullptr);
    r->path_info = apr_pstrdup(r->pool, rest);
  } else if ((to_directory ? know_file_below : know_file)(r, hit->target, rest) != APR_REG) {
    r->filename = apr_pstrcat(r->pool, hit->target, rest, nullptr);
  }
  r->handler = kHandler;
  apr_table_setn(r->notes, kAliasNote, kHandler);
  record_of(r).alias = hit->alias;
  return OK;
}

int skip_storage_of_module(request_rec* r) {
  if (r->method_number == M_TRACE) return DECLINED;  // TraceEnable has its say
  const ScriptAlias* alias = find_alias(r);
  return alias != nullptr && alias->kind == gateway::TargetKind::module ? OK : DECLINED;
}

}  // namespace pyhost::apache
