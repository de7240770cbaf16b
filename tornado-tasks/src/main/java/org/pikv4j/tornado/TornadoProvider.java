package org.pikv4j.tornado;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.BackendProvider;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.error.BackendUnavailableException;

/** The backend on TornadoVM task graphs. This version has no kernels yet: {@link #probe} says how far a machine is. */
public final class TornadoProvider implements BackendProvider {
    private static final String HOME = "TORNADOVM_HOME";
    private static final String NO_KERNELS = "this version of PiKV4J has no TornadoVM kernels yet";
    private static final String REMEDY = "use --backend vector or scalar";

    private final Optional<Path> home;

    /** Looks at the environment. */
    public TornadoProvider() {
        this(Optional.ofNullable(System.getenv(HOME))
                .filter(value -> !value.isBlank())
                .map(Path::of));
    }

    /**
     * @param home the SDK's directory, if one is named
     */
    TornadoProvider(Optional<Path> home) {
        this.home = home;
    }

    @Override
    public String name() {
        return "tornado";
    }

    @Override
    public int preference() {
        return 20;
    }

    @Override
    public BackendStatus probe() {
        if (home.isEmpty()) {
            return new BackendStatus.Unavailable(NO_KERNELS + ", and " + HOME + " is not set", REMEDY);
        }
        if (!Files.isRegularFile(home.get().resolve("tornado-argfile"))) {
            return new BackendStatus.Unavailable(
                    NO_KERNELS + ", and " + HOME + "=" + home.get() + " holds no tornado-argfile", REMEDY);
        }
        return new BackendStatus.Unavailable(NO_KERNELS + " (an SDK was found at " + home.get() + ")", REMEDY);
    }

    @Override
    public Backend open(BackendOptions options) {
        throw new BackendUnavailableException(NO_KERNELS + "; " + REMEDY);
    }
}
