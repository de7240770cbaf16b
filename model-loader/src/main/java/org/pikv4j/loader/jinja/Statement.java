package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Optional;

/** A part of a template that writes something or changes a variable. */
sealed interface Statement {

    /**
     * @return the line of the template it begins in
     */
    int line();

    record Data(String text, int line) implements Statement {}

    record Output(Expression expression, int line) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise, int line) implements Statement {}

    record Branch(Expression condition, List<Statement> body) {}

    record For(
            List<String> targets,
            Expression iterable,
            Optional<Expression> condition,
            List<Statement> body,
            List<Statement> otherwise,
            int line)
            implements Statement {}

    /** {@code set a = …}, {@code set a, b = …}. */
    record Set(List<String> targets, Expression value, int line) implements Statement {}

    /** {@code set namespace.member = …}. */
    record SetMember(String namespace, String member, Expression value, int line) implements Statement {}

    /** {@code set a}…{@code endset}; the filters apply to the name {@code BODY}. */
    record SetBlock(String target, List<Statement> body, Expression filtered, int line) implements Statement {
        /** No name of a template, since it is none: what the filters of a block apply to. */
        static final String BODY = "{body}";
    }

    /** {@code filter}…{@code endfilter}. */
    record FilterBlock(List<Statement> body, Expression filtered, int line) implements Statement {}

    /** {@code with a = …}…{@code endwith}; also {@code generation}, which only marks its text. */
    record With(List<Set> assignments, List<Statement> body, int line) implements Statement {}

    record Macro(String name, List<Parameter> parameters, List<Statement> body, int line) implements Statement {}

    /** {@code call(parameters) macro(…)}…{@code endcall}: the macro can call the body by the name {@code caller}. */
    record CallBlock(Macro caller, Expression.Call call, int line) implements Statement {
        static final String CALLER = "caller";
    }

    record Parameter(String name, Optional<Expression> otherwise) {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}
}
