import{a,b}from"./chunk-XBF7CFAP.js";export{a as Push,b as renewPush};
