#include "mcp/content.hpp"

#include <algorithm>

namespace cafmcp::mcp {
namespace {

template <class T>
void put_common(json& out, const T& x, revision r) {
  put(out, "annotations", x.annotations);
  if (has(r, feature::meta_on_types)) {
    put(out, "_meta", x.meta);
  }
}

json text_json(const std::string& text) {
  return {{"type", "text"}, {"text", text}};
}

template <class T>
json media_json(const char* type, const T& x, revision r) {
  json out = {{"type", type}, {"data", x.data}, {"mimeType", x.mime_type}};
  put_common(out, x, r);
  return out;
}

/// Writes a piece of content for its revision.
struct writer {
  revision r;

  json operator()(const text_content& x) const {
    auto out = text_json(x.text);
    put_common(out, x, r);
    return out;
  }

  json operator()(const image_content& x) const { return media_json("image", x, r); }

  json operator()(const audio_content& x) const {
    if (has(r, feature::audio)) {
      return media_json("audio", x, r);
    }
    return text_json("[audio, " + x.mime_type + ", left out: this protocol revision has no audio content]");
  }

  json operator()(const embedded_resource& x) const {
    json out = {{"type", "resource"}, {"resource", to_json(x.contents, r)}};
    put_common(out, x, r);
    return out;
  }

  json operator()(const resource_link& x) const {
    if (!has(r, feature::resource_link)) {
      return text_json(x.target.name.empty() ? x.target.uri : x.target.name + ": " + x.target.uri);
    }
    json out = {{"type", "resource_link"}};
    out.update(to_json(x.target, r));
    return out;
  }
};

}  // namespace

json to_json(const content& c, revision r) {
  return std::visit(writer{r}, c);
}

json to_json(const resource_contents& c, revision r) {
  json out = {{"uri", c.uri}};
  put(out, "mimeType", c.mime_type);
  out[c.is_blob ? "blob" : "text"] = c.data;
  if (has(r, feature::meta_on_types)) {
    put(out, "_meta", c.meta);
  }
  return out;
}

json to_json(const call_result& x, revision r) {
  json out = {{"content", json::array()}};
  for (const auto& c : x.contents) {
    out["content"].push_back(to_json(c, r));
  }
  if (x.contents.empty() && !x.structured_content.is_null()) {
    out["content"].push_back(text_json(dump(x.structured_content)));
  }
  if (has(r, feature::structured_content) && x.structured_content.is_object()) {
    out["structuredContent"] = x.structured_content;
  }
  if (x.is_error) {
    out["isError"] = true;
  }
  put(out, "_meta", x.meta);
  return out;
}

json to_json(const read_result& x, revision r) {
  json out = {{"contents", json::array()}};
  for (const auto& c : x.contents) {
    out["contents"].push_back(to_json(c, r));
  }
  put(out, "_meta", x.meta);
  return out;
}

json to_json(const prompt_result& x, revision r) {
  json out = json::object();
  put(out, "description", x.description);
  out["messages"] = json::array();
  for (const auto& m : x.messages) {
    out["messages"].push_back({{"role", m.role}, {"content", to_json(m.body, r)}});
  }
  put(out, "_meta", x.meta);
  return out;
}

json to_json(const completion_result& x, revision) {
  const auto count = std::min(x.values.size(), max_completion_values);
  json completion = {{"values", json::array()}};
  for (std::size_t i = 0; i < count; ++i) {
    completion["values"].push_back(x.values[i]);
  }
  if (x.total) {
    completion["total"] = *x.total;
  }
  completion["hasMore"] = x.has_more || count < x.values.size();
  return {{"completion", std::move(completion)}};
}

call_result text_result(std::string text, bool is_error) {
  call_result out;
  out.contents.emplace_back(text_content{std::move(text), {}, {}});
  out.is_error = is_error;
  return out;
}

}  // namespace cafmcp::mcp
