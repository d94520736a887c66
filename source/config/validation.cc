#include "config/validation.h"

#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <unordered_map>
#include <vector>

#include "base/strings.h"
#include "config/map_access.h"
#include "config/validation_rules.h"
#include "config/well_known.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"

namespace sluice::config {
namespace {

using envoy::config::route::v3::FilterConfig;
using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::MapKey;
using google::protobuf::MapValueConstRef;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

// Field `index` of a list, or the field itself for -1.
ScalarValue scalar_of(const Message& message, const FieldDescriptor& field, int index) {
  const auto& reflection = *message.GetReflection();
  const bool list = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return int64_t{list ? reflection.GetRepeatedInt32(message, &field, index) : reflection.GetInt32(message, &field)};
    case FieldDescriptor::CPPTYPE_INT64:
      return int64_t{list ? reflection.GetRepeatedInt64(message, &field, index) : reflection.GetInt64(message, &field)};
    case FieldDescriptor::CPPTYPE_UINT32:
      return uint64_t{list ? reflection.GetRepeatedUInt32(message, &field, index)
                           : reflection.GetUInt32(message, &field)};
    case FieldDescriptor::CPPTYPE_UINT64:
      return uint64_t{list ? reflection.GetRepeatedUInt64(message, &field, index)
                           : reflection.GetUInt64(message, &field)};
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return list ? reflection.GetRepeatedDouble(message, &field, index) : reflection.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return double{list ? reflection.GetRepeatedFloat(message, &field, index) : reflection.GetFloat(message, &field)};
    case FieldDescriptor::CPPTYPE_BOOL:
      return list ? reflection.GetRepeatedBool(message, &field, index) : reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return int64_t{list ? reflection.GetRepeatedEnumValue(message, &field, index)
                          : reflection.GetEnumValue(message, &field)};
    default:
      return list ? reflection.GetRepeatedString(message, &field, index) : reflection.GetString(message, &field);
  }
}

ScalarValue scalar_of(const MapKey& key) {
  switch (key.type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return key.GetStringValue();
    case FieldDescriptor::CPPTYPE_BOOL:
      return key.GetBoolValue();
    case FieldDescriptor::CPPTYPE_INT32:
      return int64_t{key.GetInt32Value()};
    case FieldDescriptor::CPPTYPE_INT64:
      return int64_t{key.GetInt64Value()};
    case FieldDescriptor::CPPTYPE_UINT32:
      return uint64_t{key.GetUInt32Value()};
    default:
      return uint64_t{key.GetUInt64Value()};
  }
}

std::string quoted(const MapKey& key) {
  const ScalarValue value = scalar_of(key);
  if (const auto* text = std::get_if<std::string>(&value)) return json_quote(*text);
  if (const auto* number = std::get_if<int64_t>(&value)) return cat(*number);
  if (const auto* number = std::get_if<uint64_t>(&value)) return cat(*number);
  return std::get<bool>(value) ? "true" : "false";
}

// Whether there may be anything to check inside of a message of this type.
bool descends(const Descriptor& type) {
  const std::string& name = type.full_name();
  return name.rfind("google.protobuf.", 0) != 0 || name == "google.protobuf.Any" || name == "google.protobuf.Duration";
}

// Whether Envoy, too, checks the rules of a field or oneof: it has none of some extensions' messages checked. Only
// those stand here that mean something when they are broken.
bool is_checked(const std::string& full_name) {
  static const std::set<std::string, std::less<>> kUnchecked = {
      "envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig.allowed_route_names",
      "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.locality_config_specifier",
      "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest.choice_count",
      "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest.selection_method",
      "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash.hash_function",
      "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash.minimum_ring_size"};
  return !kUnchecked.contains(full_name);
}

// What has to be checked in messages of one type; made at the first one. Thread: one.
struct Plan {
  struct Item {
    const FieldDescriptor* field;
    const validate::FieldRules* rules;  // of the default instance when the field has none
    bool descends;
  };
  std::vector<Item> items;
  std::vector<const OneofDescriptor*> required;
  bool may_be_off = false;  // a FilterConfig
};

// One walk over a message tree. Thread: as the map.
class Validator {
 public:
  Validator(const SourceMap& map, Findings& findings) : map_(map), findings_(findings) {}

  void message(const Message& message) {
    // What could not be read as a whole says nothing about its fields.
    if (!path_.empty() && findings_.failed_at(path_)) return;
    const auto& type = *message.GetDescriptor();
    if (type.full_name() == "google.protobuf.Any") return any(static_cast<const Any&>(message));
    // Nobody looks at the configuration of a filter that is off.
    if (plan(type).may_be_off && static_cast<const FilterConfig&>(message).disabled()) return;
    for (const Plan::Item& item : plan(type).items) {
      const size_t size = path_.size();
      append(path_, path_.empty() ? "" : ".", item.field->name());
      field(message, item);
      path_.resize(size);
    }
    for (const OneofDescriptor* oneof : plan(type).required) {
      if (!message.GetReflection()->HasOneof(message, oneof)) {
        std::vector<std::string_view> names;
        for (int i = 0; i < oneof->field_count(); ++i) names.push_back(oneof->field(i)->name());
        fail(map_.at(message), cat("one of ", one_of(names), " must be set"));
      }
    }
  }

  void start_at(std::string path) { path_ = std::move(path); }

 private:
  void fail(Position at, std::string text) {
    if (!findings_.failed(path_)) {
      findings_.fail({map_.file(at), at, path_, std::move(text)});
    }
  }

  const Plan& plan(const Descriptor& type) {
    const auto [at, made] = plans_.try_emplace(&type);
    if (!made) return at->second;
    Plan& plan = at->second;
    plan.may_be_off = &type == FilterConfig::descriptor();
    const auto& options = type.options();
    if (options.GetExtension(validate::disabled) || options.GetExtension(validate::ignored)) return plan;
    for (int i = 0; i < type.field_count(); ++i) {
      const auto* field = type.field(i);
      const auto* value = field->is_map() ? field->message_type()->map_value() : field;
      // What metadata holds is for whoever reads it: only its keys have rules here.
      const bool inside = value->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && descends(*value->message_type()) &&
                          type.full_name() != "envoy.config.core.v3.Metadata";
      const bool has_rules = field->options().HasExtension(validate::rules) && is_checked(field->full_name());
      const auto& rules =
          has_rules ? field->options().GetExtension(validate::rules) : validate::FieldRules::default_instance();
      if (has_rules || inside) plan.items.push_back({field, &rules, inside && !rules.message().skip()});
    }
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      const auto* oneof = type.oneof_decl(i);
      if (!oneof->options().GetExtension(validate::required) || !is_checked(oneof->full_name())) continue;
      plan.required.push_back(oneof);
    }
    return plan;
  }

  void any(const Any& any) {
    const Message* content = map_.unpacked(any);
    if (content != nullptr && content->GetDescriptor()->full_name() != "google.protobuf.Any") {
      message(*content);
    }
  }

  void field(const Message& owner, const Plan::Item& item) {
    if (item.field->is_map()) return map(owner, item);
    if (item.field->is_repeated()) return list(owner, item);
    if (item.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const bool set = owner.GetReflection()->HasField(owner, item.field);
      if (set)
        return submessage(owner.GetReflection()->GetMessage(owner, item.field), *item.rules, item.descends,
                          map_.at(owner, item.field->number()));
      // The member of a choice that was not chosen need not be there.
      if (item.field->real_containing_oneof() != nullptr) return;
      const auto& rules = *item.rules;
      if (rules.message().required() || rules.duration().required() || rules.any().required()) {
        fail(map_.at(owner), "must be set");
      }
      return;
    }
    if (item.field->has_presence() && !owner.GetReflection()->HasField(owner, item.field)) return;
    scalar(owner, *item.field, -1, *item.rules);
  }

  // A message that is there: the rules for its kind, then its own fields.
  void submessage(const Message& sub, const validate::FieldRules& rules, bool inside, Position at) {
    const auto& type = *sub.GetDescriptor();
    switch (well_known(type.full_name())) {
      case WellKnown::Duration: {
        const auto& duration = static_cast<const Duration&>(sub);
        std::string wrong = duration_complaint(duration);
        if (wrong.empty()) wrong = complaint(rules.duration(), duration);
        if (!wrong.empty()) fail(at, std::move(wrong));
        return;
      }
      case WellKnown::Wrapper: {
        std::string wrong = complaint(rules, scalar_of(sub, *type.field(0), -1), nullptr);
        if (!wrong.empty()) fail(at, std::move(wrong));
        return;
      }
      default:
        if (inside) message(sub);
    }
  }

  void scalar(const Message& owner, const FieldDescriptor& field, int index, const validate::FieldRules& rules) {
    std::string wrong = complaint(rules, scalar_of(owner, field, index), field.enum_type());
    if (!wrong.empty()) fail(map_.at(owner, field.number(), index), std::move(wrong));
  }

  void list(const Message& owner, const Plan::Item& item) {
    const auto& field = *item.field;
    const auto& rules = item.rules->repeated();
    const auto& reflection = *owner.GetReflection();
    const int size = reflection.FieldSize(owner, &field);
    std::string wrong = complaint(rules, static_cast<uint64_t>(size));
    if (!wrong.empty()) fail(map_.at(owner, field.number()), std::move(wrong));
    const bool messages = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!messages && !rules.has_items() && !rules.unique()) return;
    std::set<std::string> seen;
    const size_t length = path_.size();
    for (int i = 0; i < size; ++i) {
      append(path_, "[", i, "]");
      const Position at = map_.at(owner, field.number(), i);
      if (messages) {
        const Message& sub = reflection.GetRepeatedMessage(owner, &field, i);
        submessage(sub, rules.items(), item.descends && !rules.items().message().skip(), at);
        if (rules.unique() && !seen.insert(sub.SerializePartialAsString()).second)
          fail(at, "stands twice in this list");
      } else {
        scalar(owner, field, i, rules.items());
        if (rules.unique() && !seen.insert(key_of(scalar_of(owner, field, i))).second)
          fail(at, "stands twice in this list");
      }
      path_.resize(length);
      if (messages && decides(reflection.GetRepeatedMessage(owner, &field, i))) break;
    }
  }

  // Of a list of load balancing policies, the first known one is taken and Envoy does not look at those behind it.
  bool decides(const Message& element) const {
    if (element.GetDescriptor()->full_name() != "envoy.config.cluster.v3.LoadBalancingPolicy.Policy") return false;
    const auto& policy = static_cast<const envoy::config::cluster::v3::LoadBalancingPolicy::Policy&>(element);
    return map_.unpacked(policy.typed_extension_config().typed_config()) != nullptr;
  }

  // A text that is equal for equal scalars.
  static std::string key_of(const ScalarValue& value) {
    return std::visit(
        [](const auto& each) {
          if constexpr (std::is_same_v<std::decay_t<decltype(each)>, std::string>)
            return each;
          else
            return std::to_string(each);
        },
        value);
  }

  void map(const Message& owner, const Plan::Item& item) {
    const auto& field = *item.field;
    const auto& rules = item.rules->map();
    const Position at = map_.at(owner, field.number());
    const auto value_type = field.message_type()->map_value()->cpp_type();
    uint64_t pairs = 0;
    for_each_entry(owner, field, [&](const MapKey& key, const MapValueConstRef& value) {
      ++pairs;
      const size_t length = path_.size();
      append(path_, "[", quoted(key), "]");
      std::string wrong = rules.has_keys() ? complaint(rules.keys(), scalar_of(key), nullptr) : std::string();
      if (!wrong.empty()) fail(at, cat("the key ", wrong));
      if (value_type == FieldDescriptor::CPPTYPE_MESSAGE) {
        const Message& sub = value.GetMessageValue();
        submessage(sub, rules.values(), item.descends, map_.at(sub));
      } else if (rules.has_values() && value_type == FieldDescriptor::CPPTYPE_STRING) {
        wrong = complaint(rules.values(), value.GetStringValue(), nullptr);
        if (!wrong.empty()) fail(at, std::move(wrong));
      }
      path_.resize(length);
    });
    std::string wrong = complaint(rules, pairs);
    if (!wrong.empty()) fail(at, std::move(wrong));
  }

  const SourceMap& map_;
  Findings& findings_;
  std::string path_;
  std::unordered_map<const Descriptor*, Plan> plans_;
};

}  // namespace

void validate(const Message& message, const SourceMap& map, Findings& findings) {
  Validator validator(map, findings);
  validator.start_at(map.path(message));
  validator.message(message);
}

}  // namespace sluice::config
