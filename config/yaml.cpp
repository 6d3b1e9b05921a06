#include "config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

#include "base/log.hpp"

namespace cafmcp::config {

namespace {

place to_place(const YAML::Mark& m) {
  return m.is_null() ? place{} : place{m.line + 1, m.column + 1};
}

/// Leaves the parser from within a handler: what is valid YAML but not for us.
struct refusal {
  place at;
  std::string why;
};

[[noreturn]] void refuse(const YAML::Mark& m, const std::string& why) {
  throw refusal{to_place(m), why};
}

/// Builds the tree from the parser's events. `open_` are the containers that still grow, outermost first.
class builder final : public YAML::EventHandler {
 public:
  yaml_node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& m) override {
    if (++documents_ > 1) {
      refuse(m, "a second document begins here; write one");
    }
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& m, const std::string&) override { refuse(m, no_anchors); }
  void OnAlias(const YAML::Mark& m, YAML::anchor_t) override { refuse(m, no_anchors); }
  void OnNull(const YAML::Mark& m, YAML::anchor_t) override { add(leaf(m, yaml_node::kind::null, {})); }
  void OnScalar(const YAML::Mark& m, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(m, tag);
    add(leaf(m, yaml_node::kind::scalar, value));
  }
  void OnSequenceStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    enter(m, tag, yaml_node::kind::list);
  }
  void OnSequenceEnd() override { leave(); }
  void OnMapStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    enter(m, tag, yaml_node::kind::map);
  }
  void OnMapEnd() override { leave(); }

 private:
  static constexpr const char* no_anchors = "anchors and aliases are not supported; write the value out";

  /// A container, and the key that waits for its value.
  struct frame {
    yaml_node node;
    yaml_node key;
    bool has_key = false;
    YAML::Mark mark;
  };

  static yaml_node leaf(const YAML::Mark& m, yaml_node::kind type, const std::string& text) {
    yaml_node n;
    n.type = type;
    n.at = to_place(m);
    n.text = text;
    return n;
  }

  static void check_tag(const YAML::Mark& m, const std::string& tag) {
    // "?" and "!" are what yaml-cpp says of plain and quoted values without a tag.
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(m, "tags are not supported; write the value without " + log::printable(tag, 60));
    }
  }

  void enter(const YAML::Mark& m, const std::string& tag, yaml_node::kind type) {
    check_tag(m, tag);
    if (open_.size() >= max_yaml_depth) {
      refuse(m, "nested deeper than " + std::to_string(max_yaml_depth) + " levels");
    }
    open_.push_back({leaf(m, type, {}), {}, false, m});
  }

  void leave() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (!open_.empty() && open_.back().node.type == yaml_node::kind::map && !open_.back().has_key) {
      refuse(done.mark, "a key must be a plain word");
    }
    add(std::move(done.node));
  }

  void add(yaml_node n) {
    if (open_.empty()) {
      root_ = std::move(n);
      return;
    }
    auto& top = open_.back();
    if (top.node.type == yaml_node::kind::list) {
      top.node.items.push_back(std::move(n));
    } else if (!top.has_key) {
      top.key = std::move(n);
      top.has_key = true;
    } else {
      top.node.entries.emplace_back(std::move(top.key), std::move(n));
      top.has_key = false;
    }
  }

  yaml_node root_;
  std::vector<frame> open_;
  int documents_ = 0;
};

/// The place of a byte that YAML forbids, if there is one. yaml-cpp would take 0x04 for the end, and ignore
/// what follows.
place find_control(std::string_view text) {
  place p{1, 1};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f) {
      return p;
    }
    p = c == '\n' ? place{p.line + 1, 1} : place{p.line, p.column + 1};
  }
  return {};
}

}  // namespace

yaml_result parse_yaml(std::string_view text) {
  if (text.size() > max_yaml_bytes) {
    return {{}, "is larger than " + std::to_string(max_yaml_bytes >> 20U) + " MiB", {}};
  }
  if (const auto at = find_control(text); at.line != 0) {
    return {{}, "contains a control character; remove it", at};
  }
  builder b;
  try {
    // Without the end marker yaml-cpp takes a quote that is never closed for one that ends with the text.
    std::istringstream in(std::string(text).append("\n...\n"));
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(b)) {
    }
  } catch (const refusal& r) {
    return {{}, r.why, r.at};
  } catch (const YAML::Exception& e) {
    const bool open_quote = e.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
    return {{},
            "is not valid YAML: " + (open_quote ? "a quote is never closed" : log::printable(e.msg, 200)),
            to_place(e.mark)};
  } catch (const std::exception& e) {
    return {{}, "cannot be parsed: " + log::printable(e.what(), 200), {}};
  }
  return {b.take(), {}, {}};
}

}  // namespace cafmcp::config
