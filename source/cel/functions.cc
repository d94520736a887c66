#include "cel/functions.h"

namespace sluice::cel {

const Function* find_function(std::string_view name, size_t arguments, bool of_receiver) {
  using Style = Function::Style;
  for (const auto& theme : {text_functions(), conversion_functions(), time_functions()}) {
    for (const Function& function : theme) {
      if (function.name != name || function.arguments != arguments) continue;
      if (function.style == Style::kEither || (function.style == Style::kOfReceiver) == of_receiver) return &function;
    }
  }
  return nullptr;
}

const Function* find_operator(std::string_view name) {
  for (const Function& function : operator_functions()) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

}  // namespace sluice::cel
