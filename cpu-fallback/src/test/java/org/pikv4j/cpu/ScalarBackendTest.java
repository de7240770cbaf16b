package org.pikv4j.cpu;

import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendContract;
import org.pikv4j.backend.BackendOptions;

class ScalarBackendTest extends BackendContract {
    @Override
    protected Backend open(int threads) {
        return new ScalarProvider().open(new BackendOptions(threads));
    }
}
