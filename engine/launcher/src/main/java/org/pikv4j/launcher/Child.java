package org.pikv4j.launcher;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

/** What the launcher starts: it calls the real main, named by its first argument, with the others. */
public final class Child {
    private Child() {}

    /** The real main. */
    public static void main(String[] args) throws Throwable {
        IncubatorWarning.takeBack();
        endWithParent();
        try {
            Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object)
                    RawArguments.spellBack(Arrays.copyOfRange(args, 1, args.length)));
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    /** A launcher that is killed outright can end nobody; without it a child would go on computing for no reader. */
    private static void endWithParent() {
        ProcessHandle parent = ProcessHandle.current().parent().orElse(null);
        if (parent != null) {
            CompletableFuture<Void> unused = parent.onExit().thenRun(() -> System.exit(128 + 15));
        }
    }
}
