#include "mcp/definitions.hpp"

namespace cafmcp::mcp {
namespace {

/// The members that all definitions share, after those that identify them.
template <class T>
void put_common(json& out, const T& x, revision r) {
  if (has(r, feature::icons)) {
    put(out, "icons", x.icons);
  }
  if (has(r, feature::meta_on_types)) {
    put(out, "_meta", x.meta);
  }
}

template <class T>
void put_names(json& out, const T& x, revision r) {
  put(out, "name", json(x.name));
  if (has(r, feature::titles)) {
    put(out, "title", x.title);
  }
  put(out, "description", x.description);
}

/// Before tools had titles of their own, the annotations had one.
json annotations_of(const tool& t, revision r) {
  json out = t.annotations;
  if (!has(r, feature::titles) && !t.title.empty() && (out.is_null() || out.is_object())) {
    out.emplace("title", t.title);
  }
  return out;
}

}  // namespace

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void put(json& object, const char* key, const std::string& value) {
  if (!value.empty()) {
    object[key] = value;
  }
}

void put(json& object, const char* key, const json& value) {
  if (!value.is_null()) {
    object[key] = value;
  }
}

json to_json(const tool& t, revision r) {
  json out = json::object();
  put_names(out, t, r);
  out["inputSchema"] = t.input_schema;
  if (has(r, feature::structured_content)) {
    put(out, "outputSchema", t.output_schema);
  }
  if (has(r, feature::tool_annotations)) {
    put(out, "annotations", annotations_of(t, r));
  }
  put_common(out, t, r);
  return out;
}

json to_json(const resource& x, revision r) {
  json out = json::object();
  out["uri"] = x.uri;
  put_names(out, x, r);
  put(out, "mimeType", x.mime_type);
  put(out, "annotations", x.annotations);
  if (x.size) {
    out["size"] = *x.size;
  }
  put_common(out, x, r);
  return out;
}

json to_json(const resource_template& x, revision r) {
  json out = json::object();
  out["uriTemplate"] = x.uri_template;
  put_names(out, x, r);
  put(out, "mimeType", x.mime_type);
  put(out, "annotations", x.annotations);
  put_common(out, x, r);
  return out;
}

json to_json(const prompt& p, revision r) {
  json out = json::object();
  put_names(out, p, r);
  if (!p.arguments.empty()) {
    auto& arguments = out["arguments"] = json::array();
    for (const auto& a : p.arguments) {
      json item = json::object();
      put_names(item, a, r);
      if (a.required) {
        item["required"] = true;
      }
      arguments.push_back(std::move(item));
    }
  }
  put_common(out, p, r);
  return out;
}

}  // namespace cafmcp::mcp
