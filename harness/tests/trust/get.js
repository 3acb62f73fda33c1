require('https').get(process.argv[2], response => response.pipe(process.stdout)).on('error', error => {
    console.error(error.code);
    process.exitCode = 1;
});
