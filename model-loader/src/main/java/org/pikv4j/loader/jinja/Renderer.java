package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs statements: writes text and sets variables. */
final class Renderer {
    private final Budget budget = new Budget();
    private final Evaluator evaluator = new Evaluator(budget);

    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    /**
     * @param statements a template
     * @param variables what it sees
     * @return the text it writes
     */
    static String render(List<Statement> statements, Map<String, Value> variables) {
        StringBuilder out = new StringBuilder();
        Renderer renderer = new Renderer();
        Scope scope = new Scope(Globals.functions(renderer.budget)).inner();
        variables.forEach(scope::set);
        renderer.run(statements, scope, out);
        return out.toString();
    }

    private Flow run(List<Statement> statements, Scope scope, StringBuilder out) {
        for (Statement statement : statements) {
            Flow flow;
            try {
                budget.step();
                flow = run(statement, scope, out);
            } catch (TemplateException e) {
                throw e.getCause() == null ? e.at(statement.line()) : e;
            }
            if (flow != Flow.NEXT) {
                return flow;
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement statement, Scope scope, StringBuilder out) {
        switch (statement) {
            case Statement.Data data -> write(data.text(), out);
            case Statement.Output output -> write(budget.str(evaluator.evaluate(output.expression(), scope)), out);
            case Statement.If conditional -> {
                return run(chosen(conditional, scope), scope, out);
            }
            case Statement.For loop -> loop(loop, scope, out);
            case Statement.Set set -> assign(set.targets(), evaluator.evaluate(set.value(), scope), scope);
            case Statement.SetMember set -> {
                Value value = evaluator.evaluate(set.value(), scope);
                if (!(scope.get(set.namespace()) instanceof Value.Namespace namespace)) {
                    throw new TemplateException(set.namespace() + " is no namespace, its members cannot be set");
                }
                namespace.members().put(set.member(), value);
            }
            case Statement.SetBlock set -> scope.set(set.target(), filtered(set.body(), set.filtered(), scope));
            case Statement.FilterBlock block -> write(budget.str(filtered(block.body(), block.filtered(), scope)), out);
            case Statement.With with -> {
                Scope inner = scope.inner();
                for (Statement.Set set : with.assignments()) {
                    assign(set.targets(), evaluator.evaluate(set.value(), scope), inner);
                }
                return run(with.body(), inner, out);
            }
            case Statement.Macro macro -> scope.set(macro.name(), macro(macro, scope));
            case Statement.CallBlock block -> {
                Value caller = macro(block.caller(), scope);
                write(budget.str(evaluator.call(block.call(), Statement.CallBlock.CALLER, caller, scope)), out);
            }
            case Statement.Break end -> {
                return Flow.BREAK;
            }
            case Statement.Continue end -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NEXT;
    }

    private void write(String text, StringBuilder out) {
        budget.charge(text.length());
        out.append(text);
    }

    private List<Statement> chosen(Statement.If conditional, Scope scope) {
        for (Statement.Branch branch : conditional.branches()) {
            if (Operators.isTrue(evaluator.evaluate(branch.condition(), scope))) {
                return branch.body();
            }
        }
        return conditional.otherwise();
    }

    private Value filtered(List<Statement> body, Expression filtered, Scope scope) {
        StringBuilder text = new StringBuilder();
        Scope inner = scope.inner();
        run(body, inner, text);
        inner.set(Statement.SetBlock.BODY, Value.of(text.toString()));
        return evaluator.evaluate(filtered, inner);
    }

    private void loop(Statement.For loop, Scope scope, StringBuilder out) {
        List<Value> items = new ArrayList<>();
        for (Value item : Operators.elements(evaluator.evaluate(loop.iterable(), scope), budget)) {
            budget.step();
            Scope inner = scope.inner();
            assign(loop.targets(), item, inner);
            if (loop.condition().isEmpty()
                    || Operators.isTrue(evaluator.evaluate(loop.condition().get(), inner))) {
                items.add(item);
            }
        }
        for (int i = 0; i < items.size(); i++) {
            Scope inner = scope.inner();
            assign(loop.targets(), items.get(i), inner);
            inner.set("loop", loopVariable(items, i));
            if (run(loop.body(), inner, out) == Flow.BREAK) {
                return;
            }
        }
        if (items.isEmpty()) {
            run(loop.otherwise(), scope.inner(), out);
        }
    }

    private static Value loopVariable(List<Value> items, int index) {
        int size = items.size();
        Map<String, Value> members = new LinkedHashMap<>();
        members.put("index", Value.of(index + 1L));
        members.put("index0", Value.of(index));
        members.put("revindex", Value.of((long) size - index));
        members.put("revindex0", Value.of(size - index - 1L));
        members.put("first", Value.of(index == 0));
        members.put("last", Value.of(index == size - 1));
        members.put("length", Value.of(size));
        members.put("previtem", index > 0 ? items.get(index - 1) : new Value.Undefined("previtem"));
        members.put("nextitem", index < size - 1 ? items.get(index + 1) : new Value.Undefined("nextitem"));
        members.put("cycle", (Value.Callable) arguments -> {
            List<Value> choices = arguments.positional();
            if (choices.isEmpty()) {
                throw new TemplateException("loop.cycle has nothing to choose from");
            }
            return choices.get(index % choices.size());
        });
        return new Value.Namespace(members);
    }

    private void assign(List<String> targets, Value value, Scope scope) {
        if (targets.size() == 1) {
            scope.set(targets.getFirst(), value);
            return;
        }
        List<Value> parts = Operators.elements(value, budget);
        if (parts.size() != targets.size()) {
            throw new TemplateException("cannot unpack " + parts.size() + " values to " + String.join(", ", targets));
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.set(targets.get(i), parts.get(i));
        }
    }

    private Value.Callable macro(Statement.Macro macro, Scope scope) {
        return arguments -> {
            if (arguments.positional().size() > macro.parameters().size()) {
                throw new TemplateException("macro " + macro.name() + " takes no more than "
                        + macro.parameters().size() + " arguments");
            }
            Scope inner = scope.inner();
            Value caller = arguments.named().get(Statement.CallBlock.CALLER);
            if (caller != null) {
                inner.set(Statement.CallBlock.CALLER, caller);
            }
            for (int i = 0; i < macro.parameters().size(); i++) {
                Statement.Parameter parameter = macro.parameters().get(i);
                inner.set(
                        parameter.name(),
                        arguments
                                .get(i, parameter.name())
                                .orElseGet(() -> parameter
                                        .otherwise()
                                        .map(otherwise -> evaluator.evaluate(otherwise, inner))
                                        .orElse(new Value.Undefined(parameter.name()))));
            }
            StringBuilder text = new StringBuilder();
            run(macro.body(), inner, text);
            return Value.of(text.toString());
        };
    }
}
