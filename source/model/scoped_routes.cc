#include "model/scoped_routes.h"

namespace sluice::model {
namespace {

std::string_view present(std::string_view text) { return text.data() == nullptr ? std::string_view("") : text; }

}  // namespace

std::string_view ScopeFragment::cut(const http::RequestHeaders& request) const {
  std::string_view rest = request.get(header);
  if (rest.data() == nullptr) return {};
  for (uint32_t i = 0;; ++i) {
    const size_t end = element_separator.empty() ? std::string_view::npos : rest.find(element_separator);
    const std::string_view element = rest.substr(0, end);
    if (index) {
      if (i == *index) return present(element);
    } else if (const size_t at = element.find(separator); element.substr(0, at) == key) {
      return at == std::string_view::npos ? std::string_view("") : present(element.substr(at + separator.size()));
    }
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + element_separator.size());
  }
}

RouteTablePtr ScopedRoutes::find(const http::RequestHeaders& request) const {
  const auto now = tables.read();
  if (now == nullptr) return nullptr;
  std::vector<std::string> key;
  key.reserve(fragments.size());
  for (const ScopeFragment& fragment : fragments) {
    const std::string_view part = fragment.cut(request);
    if (part.data() == nullptr) return nullptr;
    key.emplace_back(part);
  }
  const auto found = now->targets.find(key);
  return found == now->targets.end() ? nullptr : found->second.now();
}

}  // namespace sluice::model
