#include "mcp/catalogue.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "mcp/cursor.hpp"
#include "mcp/text.hpp"
#include "mcp/uri_template.hpp"

namespace cafmcp::mcp {
namespace {

constexpr std::string_view keys[] = {"tools", "resources", "resourceTemplates", "prompts"};
constexpr char cursor_marks[] = {'t', 'r', 'm', 'p'};

/// The stateless revisions read lists as the last session revision does.
std::size_t index_of_revision(revision r) noexcept {
  return static_cast<std::size_t>(std::min(r, last_session_revision)) -
         static_cast<std::size_t>(first_session_revision);
}

bool schemas_ok(const tool& t) {
  return t.input_schema.is_object() && (t.output_schema.is_null() || t.output_schema.is_object());
}
template <class T>
bool schemas_ok(const T&) {
  return true;
}

}  // namespace

catalogue::catalogue(catalogue_content parts, const page_limits& limits)
    : content_(std::move(parts)), limits_(limits) {
  CAFMCP_ASSERT(limits.items > 0);
}

template <class T, class Name>
cafmcp::result<void> catalogue::add(list_kind kind, std::vector<T>& items, Name name) {
  auto& out = lists_[static_cast<std::size_t>(kind)];
  const auto what = std::string(keys[static_cast<std::size_t>(kind)]);
  std::sort(items.begin(), items.end(), [&](const T& a, const T& b) { return a.*name < b.*name; });
  for (const auto& item : items) {
    if ((item.*name).empty() || item.name.empty() || !schemas_ok(item)) {
      return fail(errc::invalid, what + ": '" + item.*name + "' needs a name, and schemas that are objects");
    }
    if (!out.by_name.emplace(item.*name, out.names.size()).second) {
      return fail(errc::conflict, what + ": '" + item.*name + "' is there twice; rename one of them");
    }
    out.names.push_back(item.*name);
  }
  for (const auto r : all_session_revisions) {
    auto rendered = std::make_shared<rendering>();
    for (const auto& item : items) {
      rendered->begins.push_back(rendered->text.empty() ? 0 : rendered->text.size() + 1);
      rendered->text += (rendered->text.empty() ? "" : ",") + dump(to_json(item, r));
    }
    rendered->begins.push_back(rendered->text.size() + 1);
    if (!out.renderings.empty() && out.renderings.back()->text == rendered->text) {
      out.renderings.push_back(out.renderings.back());
    } else {
      out.renderings.push_back(std::move(rendered));
    }
  }
  return {};
}

cafmcp::result<catalogue::ptr> catalogue::make(catalogue_content parts, const page_limits& limits) {
  std::shared_ptr<catalogue> made(new catalogue(std::move(parts), limits));
  auto& c = made->content_;
  auto outcome = made->add(list_kind::tools, c.tools, &tool::name);
  if (outcome) {
    outcome = made->add(list_kind::resources, c.resources, &resource::uri);
  }
  if (outcome) {
    outcome = made->add(list_kind::templates, c.templates, &resource_template::uri_template);
  }
  if (outcome) {
    outcome = made->add(list_kind::prompts, c.prompts, &prompt::name);
  }
  if (!outcome) {
    return outcome.error();
  }
  return ptr(std::move(made));
}

const std::size_t* catalogue::index_of(list_kind kind, std::string_view name) const noexcept {
  const auto it = data(kind).by_name.find(name);
  return it == data(kind).by_name.end() ? nullptr : &it->second;
}

const tool* catalogue::find_tool(std::string_view name) const noexcept {
  const auto* at = index_of(list_kind::tools, name);
  return at == nullptr ? nullptr : &content_.tools[*at];
}

const resource* catalogue::find_resource(std::string_view uri) const noexcept {
  const auto* at = index_of(list_kind::resources, uri);
  return at == nullptr ? nullptr : &content_.resources[*at];
}

const resource_template* catalogue::find_template(std::string_view uri_template) const noexcept {
  const auto* at = index_of(list_kind::templates, uri_template);
  return at == nullptr ? nullptr : &content_.templates[*at];
}

const prompt* catalogue::find_prompt(std::string_view name) const noexcept {
  const auto* at = index_of(list_kind::prompts, name);
  return at == nullptr ? nullptr : &content_.prompts[*at];
}

bool catalogue::readable(std::string_view uri) const {
  return content_.open_resources || find_resource(uri) != nullptr ||
         std::any_of(content_.templates.begin(), content_.templates.end(),
                     [&](const auto& t) { return matches_template(t.uri_template, uri); });
}

std::string catalogue::page(list_kind kind, revision r, std::size_t first) const {
  const auto& names = data(kind).names;
  const auto& [text, begins] = *data(kind).renderings[index_of_revision(r)];
  auto end = first;
  while (end < names.size() && end - first < limits_.items &&
         (end == first || begins[end + 1] - begins[first] <= limits_.bytes)) {
    ++end;
  }
  std::string out = R"({")";
  out.reserve(begins[end] - begins[first] + 128);
  out += keys[static_cast<std::size_t>(kind)];
  out += R"(":[)";
  if (end > first) {
    out.append(text, begins[first], begins[end] - 1 - begins[first]);
  }
  out += ']';
  if (end < names.size() && end > first) {
    out += R"(,"nextCursor":)";
    append_string(out, make_cursor(cursor_marks[static_cast<std::size_t>(kind)], names[end - 1]));
  }
  out += '}';
  return out;
}

boost::system::result<std::string, rpc_error> catalogue::list(list_kind kind, revision r) const {
  return page(kind, r, 0);
}

boost::system::result<std::string, rpc_error> catalogue::list(list_kind kind, revision r,
                                                              std::string_view cursor) const {
  const auto last = read_cursor(cursor_marks[static_cast<std::size_t>(kind)], cursor);
  if (!last) {
    return bad_cursor();
  }
  const auto& names = data(kind).names;
  const auto it = std::upper_bound(names.begin(), names.end(), std::string_view(*last));
  return page(kind, r, static_cast<std::size_t>(it - names.begin()));
}

}  // namespace cafmcp::mcp
